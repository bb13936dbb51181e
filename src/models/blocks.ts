// Layers that the embedded model's networks share, recorded on a Plan. Mirrors training/layers.py; no network by itself.
import { FlipbookError } from '../gpu/errors';
import type { Plan } from '../gpu/plan';
import { halfToNumber, sizeOf, type Tensor, virtualTensor } from '../gpu/tensor';
import { conv3d } from '../ops/conv3d';
import { linear } from '../ops/linear';
import { groupNorm, layerNorm } from '../ops/norm';
import type { ModuleConfig } from './manifest';

/** The part of src/weights that models read: tensors by name, each on the GPU once. */
export interface ModelWeights {
  scope(name: string): ModelWeights;
  /** f32 [C]: a bias or a norm's parameter. */
  vector(name: string): Tensor;
  /** f16 [Cin, Cout]. */
  linear(name: string): Tensor;
  /** f16 [taps, Cin, Cout]. */
  conv(name: string): Tensor;
  /** On the CPU, as it lies in the file. */
  raw(name: string): RawTensor;
}

/** Structurally that of src/weights, which this folder must not import. */
export interface RawTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Little-endian elements of `dtype`. */
  readonly data: Uint8Array;
}

/** Of every norm in the model: PyTorch's default. */
const EPS = 1e-5;

/**
 * Whole numbers above 0 of a module's configuration.
 * @throws FlipbookError 'weights' where one is missing or is no such number
 */
export function readCounts<Key extends string>(config: ModuleConfig, module: string, ...keys: Key[]) {
  return read(config, module, keys, 'whole numbers above 0', (value) => Number.isInteger(value) && value >= 1);
}

/**
 * Numbers above 0, likewise.
 * @throws FlipbookError 'weights'
 */
export function readNumbers<Key extends string>(config: ModuleConfig, module: string, ...keys: Key[]) {
  return read(config, module, keys, 'numbers above 0', (value) => Number.isFinite(value) && value > 0);
}

function read<Key extends string>(
  config: ModuleConfig,
  module: string,
  keys: readonly Key[],
  expected: string,
  isRight: (value: number) => boolean,
): Record<Key, number> {
  const wrong = keys.filter((key) => !isRight(config[key] as number));
  if (wrong.length > 0) {
    throw new FlipbookError(
      'weights',
      `The model's ${module} says nothing usable about ${wrong.join(', ')}: expected ${expected}.`,
      { hint: 'Export the model again with the exporter of this version of Flipbook.' },
    );
  }
  return Object.fromEntries(keys.map((key) => [key, config[key]])) as Record<Key, number>;
}

/** A small tensor of the CPU's that the Program will own. */
export function constant(plan: Plan, data: Float32Array, shape: readonly number[], label: string): Tensor {
  const tensor = plan.gpu ? plan.input(shape, 'f32', label) : virtualTensor(shape);
  plan.gpu?.write(tensor, data);
  return tensor;
}

/**
 * A parameter that is no matrix, as f32 on the CPU.
 * @throws FlipbookError 'weights' where it has another shape or type
 */
export function parameter(weights: ModelWeights, name: string, shape: readonly number[]): Float32Array {
  const raw = weights.raw(name);
  if ((raw.dtype !== 'F16' && raw.dtype !== 'F32') || raw.shape.join() !== shape.join()) {
    throw new FlipbookError(
      'weights',
      `${name} is ${raw.dtype} [${raw.shape}] in the file, expected F16 or F32 [${shape}]`,
    );
  }
  const bytes = raw.data.slice().buffer; // a copy is aligned
  if (raw.dtype === 'F32') return new Float32Array(bytes);
  return Float32Array.from(new Uint16Array(bytes), halfToNumber);
}

/** `data` repeated for every batch row and frame, as the residual that adds learned positions. */
export function repeated(plan: Plan, data: Float32Array, shape: readonly number[], label: string): Tensor {
  const all = new Float32Array(sizeOf(shape));
  for (let start = 0; start < all.length; start += data.length) all.set(data, start);
  return constant(plan, all, shape, label);
}

interface LinearTail {
  readonly activation?: 'silu' | 'gelu';
  readonly residual?: Tensor;
}

/** A linear layer with its bias. */
export function dense(plan: Plan, x: Tensor, weights: ModelWeights, tail: LinearTail = {}): Tensor {
  return linear(plan, x, { weight: weights.linear('weight'), bias: weights.vector('bias'), ...tail });
}

/** A (1, k, k) convolution of every frame, zero padded to keep its size. */
export function frameConv(
  plan: Plan,
  x: Tensor,
  weights: ModelWeights,
  { size = 3, stride = 1, residual }: { size?: 1 | 3; stride?: 1 | 2; residual?: Tensor } = {},
): Tensor {
  const pad = size >> 1;
  return conv3d(plan, x, {
    weight: weights.conv('weight'),
    bias: weights.vector('bias'),
    kernel: [1, size, size],
    stride: [1, stride, stride],
    padding: [0, pad, pad],
    residual,
  });
}

/** GroupNorm per frame, then scale-shift where there is one, then SiLU. */
export function normSilu(plan: Plan, x: Tensor, weights: ModelWeights, groups: number, scaleShift?: Tensor): Tensor {
  return groupNorm(plan, x, {
    groups,
    eps: EPS,
    weight: weights.vector('weight'),
    bias: weights.vector('bias'),
    silu: true,
    scaleShift,
  });
}

/** LayerNorm with its own scale and shift. */
export function affineLayerNorm(plan: Plan, x: Tensor, weights: ModelWeights): Tensor {
  return layerNorm(plan, x, { eps: EPS, weight: weights.vector('weight'), bias: weights.vector('bias') });
}

/** LayerNorm modulated by C scales and C shifts, from column `offset` of `scaleShift` [B, ≥ 2C] (AdaLN: Peebles and Xie, 2023). */
export function modulatedLayerNorm(plan: Plan, x: Tensor, scaleShift: Tensor, offset: number): Tensor {
  return layerNorm(plan, x, { eps: EPS, scaleShift, scaleShiftOffset: offset });
}

/**
 * GroupNorm, SiLU, 3×3 convolution, twice; a 1×1 shortcut where the weights have one; scale-shift from `emb` [B, E], which
 * is already through SiLU.
 */
export function resBlock(
  plan: Plan,
  x: Tensor, // [B, T, H, W, C]
  weights: ModelWeights,
  { groups, emb, shortcut = false }: { groups: number; emb?: Tensor; shortcut?: boolean },
): Tensor {
  const scaleShift = emb && dense(plan, emb, weights.scope('emb')); // [B, 2·C']
  let h = normSilu(plan, x, weights.scope('norm1'), groups);
  h = frameConv(plan, h, weights.scope('conv1')); // [B, T, H, W, C']
  h = normSilu(plan, h, weights.scope('norm2'), groups, scaleShift);
  const residual = shortcut ? frameConv(plan, x, weights.scope('shortcut'), { size: 1 }) : x;
  return frameConv(plan, h, weights.scope('conv2'), { residual });
}

/** Residual GroupNorm, SiLU, (3, 1, 1) convolution over frames on a circle. */
export function temporalBlock(plan: Plan, x: Tensor, weights: ModelWeights, groups: number): Tensor {
  const conv = weights.scope('conv');
  return conv3d(plan, normSilu(plan, x, weights.scope('norm'), groups), {
    weight: conv.conv('weight'),
    bias: conv.vector('bias'),
    kernel: [3, 1, 1],
    padding: [1, 0, 0],
    circular: [true, false, false],
    residual: x,
  });
}
