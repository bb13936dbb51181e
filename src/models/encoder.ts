// The encoder: premultiplied RGBA loops -> latents. Mirrors Encoder of training/autoencoder.py.
// Generation from text does not load it; a clip that starts from a visitor's picture does.
import type { Plan } from '../gpu/plan';
import type { Tensor } from '../gpu/tensor';
import { affine } from '../ops/elementwise';
import { pixelUnshuffle, timeUnshuffle } from '../ops/resample';
import { constant, dense, frameConv, type ModelWeights, normSilu, resBlock, temporalBlock } from './blocks';
import type { CoderConfig } from './decoder';

/** The autoencoder's latents to normalised ones, on which the denoiser works: (z − mean) / std per channel. */
export function normalise(plan: Plan, z: Tensor, mean: readonly number[], std: readonly number[]): Tensor {
  const scale = Float32Array.from(std, (value) => 1 / value);
  const shift = Float32Array.from(mean, (value, c) => -value / std[c]!);
  return affine(plan, z, {
    scale: constant(plan, scale, [scale.length], 'one over latent std'),
    shift: constant(plan, shift, [shift.length], 'minus latent mean over std'),
  });
}

/** The blocks that see compressed time. */
const WIDE = [
  ['time1', 'block3'],
  ['time2', 'block4'],
  ['time3', 'block5'],
] as const;

/** rgba [B, T, 128, 128, 4] in 0..1, T a multiple of 4 -> latents [B, T/4, 16, 16, 40], not normalised. */
export function encoder(plan: Plan, rgba: Tensor, weights: ModelWeights, { groups, time }: CoderConfig): Tensor {
  const scale = constant(plan, new Float32Array(4).fill(2), [4], 'two');
  const shift = constant(plan, new Float32Array(4).fill(-1), [4], 'minus one');
  let x = pixelUnshuffle(plan, affine(plan, rgba, { scale, shift }), 4); // [B, T, 32, 32, 64]
  x = resBlock(plan, frameConv(plan, x, weights.scope('conv_in')), weights.scope('block1'), { groups });
  x = frameConv(plan, x, weights.scope('down'), { stride: 2 }); // [B, T, 16, 16, 128]
  x = resBlock(plan, x, weights.scope('block2'), { groups });
  x = dense(plan, timeUnshuffle(plan, x, time), weights.scope('time_down')); // [B, T/4, 16, 16, 256]
  for (const [time, block] of WIDE) {
    x = temporalBlock(plan, x, weights.scope(time), groups);
    x = resBlock(plan, x, weights.scope(block), { groups });
  }
  return frameConv(plan, normSilu(plan, x, weights.scope('norm_out'), groups), weights.scope('conv_out'));
}
