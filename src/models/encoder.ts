// The encoder: premultiplied RGBA loops -> latents. Mirrors Encoder of training/autoencoder.py.
// Generation from text does not load it; a clip that starts from a visitor's picture does.
import type { Plan } from '../gpu/plan';
import type { Tensor } from '../gpu/tensor';
import { add, affine, concat } from '../ops/elementwise';
import { pixelUnshuffle, timeUnshuffle } from '../ops/resample';
import { constant, dense, frameConv, type ModelWeights, normSilu, readCounts, resBlock, temporalBlock } from './blocks';
import { type CoderConfig, coderConfig, head, stem } from './decoder';
import type { ModuleConfig } from './manifest';

/** The autoencoder's latents to normalised ones, on which the denoiser works: (z − mean) / std per channel. */
export function normalise(plan: Plan, z: Tensor, mean: readonly number[], std: readonly number[]): Tensor {
  const scale = Float32Array.from(std, (value) => 1 / value);
  const shift = Float32Array.from(mean, (value, c) => -value / std[c]!);
  return affine(plan, z, {
    scale: constant(plan, scale, [scale.length], 'one over latent std'),
    shift: constant(plan, shift, [shift.length], 'minus latent mean over std'),
  });
}

export interface EncoderConfig extends CoderConfig {
  /** Blocks that see compressed time, of the first pass and of the second. */
  readonly depth: number;
  readonly refinerDepth: number;
  /** Errors are small: times this, the second pass sees them about as large as the picture. */
  readonly errorGain: number;
}

/** @throws FlipbookError 'weights' where the module says nothing usable */
export function encoderConfig(config: ModuleConfig): EncoderConfig {
  return { ...coderConfig(config), ...readCounts(config, 'encoder', 'depth', 'refinerDepth', 'errorGain') };
}

/**
 * Latents in two passes: the second one sees what the decoder makes of the first one's, and corrects them (iterative
 * amortised inference, Marino et al. 2018).
 * rgba [B, T, 128, 128, 4] in 0..1, T a multiple of 4 -> [B, T/4, 16, 16, 40], not normalised.
 */
export function encoder(
  plan: Plan,
  rgba: Tensor,
  weights: { readonly encoder: ModelWeights; readonly decoder: ModelWeights },
  config: EncoderConfig,
): Tensor {
  const { depth, refinerDepth, errorGain } = config;
  const picture = uniformAffine(plan, rgba, 2, -1);
  const z = pass(plan, [picture], weights.encoder, config, depth);
  const features = stem(plan, z, weights.decoder.scope('stem'), config);
  const drawn = head(plan, features, weights.decoder.scope('head'), config);
  const gained = [uniformAffine(plan, rgba, errorGain, 0), uniformAffine(plan, drawn, -errorGain, 0)] as const;
  return pass(plan, [picture, add(plan, ...gained)], weights.encoder.scope('refiner'), config, refinerDepth, z);
}

/** Images [B, T, 128, 128, 4] -> `residual` and what they add to it, [B, T/4, 16, 16, 40]. */
function pass(
  plan: Plan,
  images: readonly Tensor[],
  weights: ModelWeights,
  { groups, time }: CoderConfig,
  depth: number,
  residual?: Tensor,
): Tensor {
  const unshuffled = images.map((image) => pixelUnshuffle(plan, image, 4)); // [B, T, 32, 32, 64] each
  let x = frameConv(plan, concat(plan, unshuffled), weights.scope('conv_in'));
  x = resBlock(plan, x, weights.scope('block1'), { groups });
  x = frameConv(plan, x, weights.scope('down'), { stride: 2 }); // [B, T, 16, 16, 128]
  x = resBlock(plan, x, weights.scope('block2'), { groups });
  x = dense(plan, timeUnshuffle(plan, x, time), weights.scope('time_down')); // [B, T/4, 16, 16, 256]
  for (let i = 1; i <= depth; i++) {
    x = temporalBlock(plan, x, weights.scope(`time${i}`), groups);
    x = resBlock(plan, x, weights.scope(`block${i + 2}`), { groups });
  }
  x = normSilu(plan, x, weights.scope('norm_out'), groups);
  return frameConv(plan, x, weights.scope('conv_out'), residual && { residual });
}

/** The same scale and shift for all four channels of images. */
function uniformAffine(plan: Plan, images: Tensor, scale: number, shift: number): Tensor {
  return affine(plan, images, {
    scale: constant(plan, new Float32Array(4).fill(scale), [4], `times ${scale}`),
    shift: constant(plan, new Float32Array(4).fill(shift), [4], `plus ${shift}`),
  });
}
