// Attention within frames and across frames: shapes of the embedded model and of larger ones. Projections are not part of it.
import { attention, circularOffset, rowsOf } from '../../../test/reference/attention';
import { spatialAttention, temporalAttention } from '../../ops/attention';
import type { Arm, BenchCase, Context } from '../case';
import { randomValues } from '../data';
import { ortArm, ortCpuArm } from '../runtimes/ort';
import { prepareOurs } from '../runtimes/ours';
import { fusedOrt, writtenOrt } from './attention-onnx';
import { jaxAttention, tfjsAttention } from './attention-peers';

/** Rows of `tokens` attend to each other, in each of `batches`. */
export interface Attention {
  readonly axis: 'space' | 'time';
  readonly frames: number;
  readonly places: number;
  readonly channels: number;
  readonly heads: number;
  /** [T, H·W, C] each. */
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  /** [heads, T, T], added to the logits; of temporal attention with learned relative positions. */
  readonly bias?: Float32Array | undefined;
}

interface Shape {
  readonly source: string;
  readonly frames: number;
  readonly places: number;
  readonly large: { readonly frames: number; readonly places: number };
  readonly channels: number;
  readonly heads: number;
  /** Offsets that the bias tells apart, each way. */
  readonly reach?: number;
}

const embedded = 'embedded model';
const spatialShapes: readonly Shape[] = [
  { source: embedded, frames: 9, places: 64, large: { frames: 36, places: 64 }, channels: 256, heads: 4 },
  {
    source: 'AnimateDiff, 8 heads of 40, 64×64 scaled down',
    frames: 2,
    places: 256,
    large: { frames: 2, places: 512 },
    channels: 320,
    heads: 8,
  },
  {
    source: 'Stable Video Diffusion, 5 heads of 64, 72×128 scaled down',
    frames: 2,
    places: 192,
    large: { frames: 2, places: 576 },
    channels: 320,
    heads: 5,
  },
];
const temporalShapes: readonly Shape[] = [
  { source: embedded, frames: 9, places: 64, large: { frames: 36, places: 256 }, channels: 256, heads: 4, reach: 4 },
  {
    source: 'AnimateDiff, 16 frames, 64×64 scaled down',
    frames: 16,
    places: 64,
    large: { frames: 16, places: 1024 },
    channels: 320,
    heads: 8,
  },
  {
    source: 'Stable Video Diffusion, 14 frames, 72×128 scaled down',
    frames: 14,
    places: 96,
    large: { frames: 14, places: 1152 },
    channels: 320,
    heads: 5,
  },
];

export function spatialCases(context: Context): BenchCase[] {
  return spatialShapes.map((shape) => caseOf(context, shape, 'space'));
}

export function temporalCases(context: Context): BenchCase[] {
  return temporalShapes.map((shape) => caseOf(context, shape, 'time'));
}

function caseOf(context: Context, shape: Shape, axis: 'space' | 'time'): BenchCase {
  const { source, channels, heads, reach } = shape;
  const { frames, places } = context.large ? shape.large : shape;
  const count = frames * places * channels;
  const tokens = axis === 'space' ? places : frames;
  const relative = reach === undefined ? undefined : randomValues([heads, 2 * reach + 1]);
  const input: Attention = {
    axis,
    frames,
    places,
    channels,
    heads,
    q: randomValues([count]),
    k: randomValues([count]),
    v: randomValues([count]),
    bias: relative && wholeBias(relative, heads, reach!, frames),
  };
  return {
    group: axis === 'space' ? 'spatial_attention' : 'temporal_attention',
    name: `${channels} channels, ${heads} heads, ${frames} frames of ${places}${reach === undefined ? '' : ', biased'}`,
    source,
    cost: { flops: 4 * count * tokens, bytes: 16 * count },
    tolerance: 1e-4,
    reference: async () => referenceAttention(input),
    arms: armsOf(context, input, relative && { values: relative, shape: [heads, 2 * reach! + 1] }),
  };
}

/** Relative positions on the circle of frames, spelled out for every pair. */
function wholeBias(relative: Float32Array, heads: number, reach: number, frames: number): Float32Array {
  return Float32Array.from({ length: heads * frames * frames }, (_, at) => {
    const head = Math.floor(at / (frames * frames));
    const offset = circularOffset(frames, Math.floor(at / frames) % frames, at % frames);
    return relative[head * (2 * reach + 1) + Math.max(-reach, Math.min(reach, offset)) + reach]!;
  });
}

function referenceAttention({ axis, frames, places, channels, heads, q, k, v, bias }: Attention): Float64Array {
  const [rowsQ, rowsK, rowsV] = [q, k, v].map((data) => rowsOf(data, channels, 0, channels)) as [
    Float64Array[],
    Float64Array[],
    Float64Array[],
  ];
  const out = new Float64Array(q.length);
  const batches = axis === 'space' ? frames : places;
  const tokens = axis === 'space' ? places : frames;
  for (let batch = 0; batch < batches; batch++) {
    const rows = Array.from({ length: tokens }, (_, i) => (axis === 'space' ? batch * places + i : i * places + batch));
    const pick = (all: readonly Float64Array[]): Float64Array[] => rows.map((row) => all[row]!);
    const result = attention({
      heads,
      q: pick(rowsQ),
      k: pick(rowsK),
      v: pick(rowsV),
      ...(bias && { bias: (head: number, i: number, j: number) => bias[(head * frames + i) * frames + j]! }),
    });
    rows.forEach((row, i) => {
      out.set(result[i]!, row * channels);
    });
  }
  return out;
}

function armsOf(
  context: Context,
  input: Attention,
  relative: { readonly values: Float32Array; readonly shape: readonly number[] } | undefined,
): Arm[] {
  const { axis, frames, places, channels, heads } = input;
  return [
    {
      runtime: 'flipbook',
      kind: 'ours',
      how: axis === 'space' ? 'spatialAttention' : 'temporalAttention, in place',
      prepare: () =>
        prepareOurs(context.gpu, ({ plan, f32 }) => {
          const qkv = f32([1, frames, places, 1, 3 * channels], interleave(input));
          if (axis === 'space') return spatialAttention(plan, qkv, { heads });
          return temporalAttention(plan, qkv, {
            heads,
            ...(relative && { bias: f32(relative.shape, relative.values) }),
          });
        }),
    },
    ortArm(context, 'as written', 'MatMul, Softmax, MatMul', () => writtenOrt(input)),
    ortArm(context, 'strongest rewrite', 'com.microsoft.MultiHeadAttention', () => fusedOrt(input)),
    {
      runtime: 'tfjs',
      kind: 'as written',
      how: 'matMul, softmax, matMul',
      prepare: async () => tfjsAttention(await context.tfjs(), input),
    },
    {
      runtime: 'jax-js',
      kind: 'as written',
      how: 'dotProductAttention',
      prepare: async () => jaxAttention(await context.jax(), input),
    },
    ortCpuArm(context, 'MatMul, Softmax, MatMul', () => writtenOrt(input)),
  ];
}

/** q | k | v in each row, as one fused projection makes them. */
function interleave({ channels, q, k, v }: Attention): Float32Array {
  const out = new Float32Array(3 * q.length);
  for (let row = 0; row * channels < q.length; row++) {
    [q, k, v].forEach((part, i) => {
      out.set(part.subarray(row * channels, (row + 1) * channels), (3 * row + i) * channels);
    });
  }
  return out;
}
