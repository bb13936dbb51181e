// The denoiser: a factorised space-time U-Net over latents, for pictures and loops with one set of weights.
// Mirrors training/denoiser.py; it samples nothing.
import type { Plan } from '../gpu/plan';
import { reshape, type Tensor } from '../gpu/tensor';
import { crossAttention, spatialAttention, temporalAttention } from '../ops/attention';
import { concat, silu, velocity } from '../ops/elementwise';
import { timestepEmbedding } from '../ops/embed';
import { linear } from '../ops/linear';
import { pixelShuffle, pixelUnshuffle } from '../ops/resample';
import {
  affineLayerNorm,
  constant,
  dense,
  frameConv,
  type ModelWeights,
  modulatedLayerNorm,
  normSilu,
  parameter,
  readCounts,
  readNumbers,
  repeated,
  resBlock,
  temporalBlock,
} from './blocks';
import type { ModuleConfig } from './manifest';

/** Positions down and across at the inner level, whose layout is learnt: the embedded model has one size. */
const SIDE = 8;

export interface DenoiserConfig {
  /** Channels of latents. */
  readonly latent: number;
  /** The first so many latents, of which the network predicts the velocity; of the others it predicts x0. */
  readonly outline: number;
  /** Channels of the 8×8 level, and of the time embedding. */
  readonly width: number;
  readonly emb: number;
  readonly blocks: number;
  readonly heads: number;
  readonly groups: number;
  /** Latent frames that the temporal bias tells apart, each way. */
  readonly reach: number;
  /** Below this t a velocity of detail is no longer divided by t. */
  readonly leastTime: number;
}

/** @throws FlipbookError 'weights' where the module says nothing usable */
export function denoiserConfig(config: ModuleConfig): DenoiserConfig {
  const counts = ['latent', 'outline', 'width', 'emb', 'blocks', 'heads', 'groups', 'reach'] as const;
  return { ...readCounts(config, 'denoiser', ...counts), ...readNumbers(config, 'denoiser', 'leastTime') };
}

/**
 * Channels of the conditions beside the noisy latents: known latents and whether they are known, the picture, and the
 * flags anchor frame, picture given, clip.
 */
export function conditionChannels({ latent }: DenoiserConfig): number {
  return 2 * latent + 4;
}

/** What depends on the prompt alone: made once, used by every step. */
export interface PromptFeatures {
  /** [B, E]: pooled text and motion, to be added to the time's embedding. */
  readonly emb: Tensor;
  /** Per block, keys and values of the prompt's tokens: [B, L, 2·width]. */
  readonly keysValues: readonly Tensor[];
  /** [B, L] */
  readonly mask: Tensor;
  /** For a picture: [B, 1, 8, 8, C], what the prompt's picture looks like on average. A clip has its picture instead. */
  readonly layout?: Tensor;
}

/**
 * @param context [B, L, text width] @param pooled [B, text width]
 * @param mask [B, L], 1 keep
 * @param motion [B, 2]: amount, and whether it is given
 * @param frames latent frames of what is made; 1 is a picture
 */
export function promptFeatures(
  plan: Plan,
  { context, pooled, mask, motion }: { context: Tensor; pooled: Tensor; mask: Tensor; motion: Tensor },
  weights: ModelWeights,
  config: DenoiserConfig,
  frames: number,
): PromptFeatures {
  const moved = linear(plan, motion, { weight: weights.scope('motion').linear('weight') });
  const emb = dense(plan, pooled, weights.scope('pooled'), { residual: moved }); // [B, E]
  const keysValues = Array.from({ length: config.blocks }, (_, i) =>
    dense(plan, context, weights.scope(`blocks.${i}.cross.kv`)),
  );
  if (frames > 1) return { emb, keysValues, mask };
  const hidden = dense(plan, pooled, weights.scope('layout1'), { activation: 'silu' });
  const layout = dense(plan, hidden, weights.scope('layout2')); // [B, 8·8·C]
  const [batch, channels] = layout.shape as [number, number];
  return { emb, keysValues, mask, layout: reshape(layout, [batch, 1, SIDE, SIDE, channels / SIDE ** 2]) };
}

/**
 * @param x noisy latents [B, T, H, W, 40] @param t [B], in 0..1 (1 is noise)
 * @param conditions [B, T, H, W, 84], see `conditionChannels`
 * @returns the velocity (noise - latents) of flow matching, [B, T, H, W, 40]
 */
export function denoiser(
  plan: Plan,
  { x, t, conditions, prompt }: { x: Tensor; t: Tensor; conditions: Tensor; prompt: PromptFeatures },
  weights: ModelWeights,
  config: DenoiserConfig,
): Tensor {
  const { groups } = config;
  const [batch, frames, height, width] = x.shape as [number, number, number, number];
  const time = dense(plan, timestepEmbedding(plan, t, config.emb), weights.scope('time1'), { activation: 'silu' });
  const emb = silu(plan, dense(plan, time, weights.scope('time2'), { residual: prompt.emb })); // [B, E]

  let h = frameConv(plan, concat(plan, [x, conditions]), weights.scope('conv_in')); // [B, T, 16, 16, 64]
  h = resBlock(plan, h, weights.scope('res_in'), { groups, emb });
  if (frames > 1) h = temporalBlock(plan, h, weights.scope('temporal_in'), groups);
  const skip = h;

  const inner = [batch, frames, height / 2, width / 2, config.width]; // [B, T, 8, 8, 256]
  const position = parameter(weights, 'position', [(height * width) / 4, config.width]);
  h = dense(plan, pixelUnshuffle(plan, h, 2), weights.scope('down'), {
    residual: repeated(plan, position, inner, 'positions'),
  });
  if (prompt.layout) {
    h = linear(plan, prompt.layout, { weight: weights.scope('layout3').linear('weight'), residual: h });
  }
  for (let i = 0; i < config.blocks; i++) {
    h = block(plan, h, emb, prompt.keysValues[i]!, prompt.mask, weights.scope(`blocks.${i}`), config);
  }
  h = dense(plan, affineLayerNorm(plan, h, weights.scope('up_norm')), weights.scope('up'));

  h = concat(plan, [pixelShuffle(plan, h, 2), skip]); // [B, T, 16, 16, 128]
  h = resBlock(plan, h, weights.scope('res_out'), { groups, emb, shortcut: true });
  if (frames > 1) h = temporalBlock(plan, h, weights.scope('temporal_out'), groups);
  const output = frameConv(plan, normSilu(plan, h, weights.scope('norm_out'), groups), weights.scope('conv_out'));
  const gates = dense(plan, emb, weights.scope('gates')); // [B, 2·40]
  return velocity(plan, { x, output, conditions, gates, t, outline: config.outline, least: config.leastTime });
}

/** Spatial self-attention, cross-attention, temporal self-attention, MLP; each pre-norm and residual. */
function block(
  plan: Plan,
  x: Tensor, // [B, T, 8, 8, C]
  emb: Tensor, // [B, E]
  keysValues: Tensor, // [B, L, 2C]
  mask: Tensor,
  weights: ModelWeights,
  { heads, reach, width }: DenoiserConfig,
): Tensor {
  const [spatial, cross, temporal] = ['spatial', 'cross', 'temporal'].map((name) => weights.scope(name)) as [
    ModelWeights,
    ModelWeights,
    ModelWeights,
  ];
  const modulation = dense(plan, emb, weights.scope('modulation')); // [B, 4C]: scale, shift, scale, shift
  let h = modulatedLayerNorm(plan, x, modulation, 0);
  h = spatialAttention(plan, dense(plan, h, spatial.scope('qkv')), { heads });
  let y = dense(plan, h, spatial.scope('out'), { residual: x });

  const query = dense(plan, affineLayerNorm(plan, y, weights.scope('norm2')), cross.scope('q'));
  h = crossAttention(plan, query, keysValues, { heads, mask });
  y = dense(plan, h, cross.scope('out'), { residual: y });

  if (x.shape[1]! > 1) {
    const size = [heads, 2 * reach + 1];
    const bias = constant(plan, parameter(weights, 'temporal_bias', size), size, 'temporal bias');
    const qkv = dense(plan, affineLayerNorm(plan, y, weights.scope('norm3')), temporal.scope('qkv'));
    y = dense(plan, temporalAttention(plan, qkv, { heads, bias }), temporal.scope('out'), { residual: y });
  }
  h = modulatedLayerNorm(plan, y, modulation, 2 * width);
  h = dense(plan, h, weights.scope('fc1'), { activation: 'gelu' });
  return dense(plan, h, weights.scope('fc2'), { residual: y });
}
