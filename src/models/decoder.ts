// The decoder: latents of a loop -> premultiplied RGBA frames. Mirrors Stem and Head of training/autoencoder.py.
// The stem sees the whole loop, the head one frame at a time, so frames decode in chunks of any size alike.
import type { Plan } from '../gpu/plan';
import type { Tensor } from '../gpu/tensor';
import { affine } from '../ops/elementwise';
import { pixelShuffle, timeShuffle } from '../ops/resample';
import { constant, dense, frameConv, type ModelWeights, normSilu, readCounts, resBlock, temporalBlock } from './blocks';
import type { ModuleConfig } from './manifest';

export interface CoderConfig {
  /** Frames per latent frame. */
  readonly time: number;
  readonly groups: number;
}

/** @throws FlipbookError 'weights' where the module says nothing usable */
export function coderConfig(config: ModuleConfig): CoderConfig {
  return readCounts(config, 'autoencoder', 'time', 'groups');
}

/** Normalised latents, on which the denoiser works, to the autoencoder's: z·std + mean per channel. */
export function denormalise(plan: Plan, x: Tensor, mean: readonly number[], std: readonly number[]): Tensor {
  const scale = constant(plan, Float32Array.from(std), [std.length], 'latent std');
  const shift = constant(plan, Float32Array.from(mean), [mean.length], 'latent mean');
  return affine(plan, x, { scale, shift });
}

/** z [B, T/4, 16, 16, 40] -> features [B, T, 16, 16, 128]. */
export function stem(plan: Plan, z: Tensor, weights: ModelWeights, { groups, time }: CoderConfig): Tensor {
  let x = frameConv(plan, z, weights.scope('conv_in')); // [B, T/4, 16, 16, 128]
  x = resBlock(plan, x, weights.scope('block1'), { groups });
  x = temporalBlock(plan, x, weights.scope('time1'), groups);
  x = resBlock(plan, x, weights.scope('block2'), { groups });
  x = timeShuffle(plan, dense(plan, x, weights.scope('time_up')), time); // [B, T, 16, 16, 128]
  for (const block of ['time2', 'time3', 'time4']) x = temporalBlock(plan, x, weights.scope(block), groups);
  return x;
}

/** Features [B, T, 16, 16, 128] -> premultiplied RGBA [B, T, 128, 128, 4]; may leave 0..1 a little. */
export function head(plan: Plan, features: Tensor, weights: ModelWeights, { groups }: CoderConfig): Tensor {
  let x = resBlock(plan, features, weights.scope('block1'), { groups });
  x = pixelShuffle(plan, frameConv(plan, x, weights.scope('up'), { size: 1 }), 2); // [B, T, 32, 32, 64]
  x = resBlock(plan, x, weights.scope('block2'), { groups });
  x = frameConv(plan, normSilu(plan, x, weights.scope('norm_out'), groups), weights.scope('conv_out'));
  const half = constant(plan, new Float32Array(x.shape.at(-1)!).fill(0.5), [x.shape.at(-1)!], 'one half');
  return pixelShuffle(plan, affine(plan, x, { scale: half, shift: half }), 4); // [B, T, 128, 128, 4]
}
