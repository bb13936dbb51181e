// Attention within a frame, to a prompt, among tokens and across frames: checks shapes, chooses a schedule, records one call.
// Not the projections around it: qkv and out are linear layers of the model.
import { attention } from '../../shaders/attention.wgsl';
import { type Schedule, streamingTiles, streamingWorkgroup } from '../../shaders/streaming_softmax.wgsl';
import { temporalAttention as temporalShader } from '../../shaders/temporal_attention.wgsl';
import { type Grid, type Kernel, linearGrid } from '../gpu/kernel';
import type { Plan } from '../gpu/plan';
import { sizeOf, type Tensor } from '../gpu/tensor';
import { expectCount, expectTensor, formatTensor } from './check';
import { subgroupLanes } from './subgroups';

export type { Schedule };

export interface HeadOptions {
  /** The channels are `heads` blocks of equal width, head 0 first. */
  readonly heads: number;
  /** Overrides the choice by shape and adapter (benchmarks, tests). */
  readonly schedule?: Schedule;
}

/** Where query, key and value rows lie in their tensors, in elements. */
interface Rows {
  readonly tensor: Tensor;
  readonly stride: number;
  readonly offset: number;
}

/**
 * softmax(q kᵀ / sqrt(d)) v within each frame (Vaswani et al. 2017): qkv [B, T, ..., 3C] = q | k | v. Returns [B, T, ..., C].
 * @throws TypeError where a shape does not fit
 */
export function spatialAttention(plan: Plan, qkv: Tensor, options: HeadOptions): Tensor {
  const op = 'spatialAttention';
  if (qkv.shape.length < 4)
    throw new TypeError(`${op}: qkv is ${formatTensor(qkv)}, expected [B, T, H, W, 3C]; reshape it`);
  const frames = qkv.shape[0]! * qkv.shape[1]!;
  return withinRows(plan, op, fused(op, qkv, options.heads), frames, undefined, options);
}

/**
 * Every position of a clip attends to the tokens of its prompt. q [B, T, H, W, C] (or any [B, ..., C]), kv [B, L, 2C] = k | v,
 * mask f32 [B, L]: 1 keep, 0 padding. A prompt that is all padding gives zeros. Returns the shape of q.
 */
export function crossAttention(
  plan: Plan,
  q: Tensor,
  kv: Tensor,
  options: HeadOptions & { readonly mask: Tensor },
): Tensor {
  const op = 'crossAttention';
  const width = q.shape.at(-1) ?? 0;
  const clips = q.shape[0] ?? 0;
  if (q.shape.length < 3) throw new TypeError(`${op}: q is ${formatTensor(q)}, expected [B, T, H, W, C]; reshape it`);
  expectTensor(op, 'q', q, q.shape);
  expectTensor(
    op,
    'kv',
    kv,
    [clips, -1, 2 * width],
    'f32',
    `q is ${formatTensor(q)}; kv is [B, L, 2C], keys then values`,
  );
  expectTensor(op, 'mask', options.mask, [clips, kv.shape[1]!], 'f32', 'one number per token of kv');
  const parts: [Rows, Rows, Rows] = [
    { tensor: q, stride: width, offset: 0 },
    { tensor: kv, stride: 2 * width, offset: 0 },
    { tensor: kv, stride: 2 * width, offset: width },
  ];
  return withinRows(plan, op, { parts, shape: q.shape, keys: kv.shape[1]! }, clips, options.mask, options);
}

/** Tokens attend to tokens: qkv [B, L, 3C] = q | k | v, mask f32 [B, L] (1 keep, 0 padding) if some are padding. Returns [B, L, C]. */
export function selfAttention(plan: Plan, qkv: Tensor, options: HeadOptions & { readonly mask?: Tensor }): Tensor {
  const op = 'selfAttention';
  if (qkv.shape.length !== 3)
    throw new TypeError(`${op}: qkv is ${formatTensor(qkv)}, expected [B, L, 3C]; reshape it`);
  const [batches, length] = qkv.shape as [number, number, number];
  if (options.mask) expectTensor(op, 'mask', options.mask, [batches, length], 'f32', 'one number per token');
  return withinRows(plan, op, fused(op, qkv, options.heads), batches, options.mask, options);
}

/**
 * Every position attends to itself in the other frames of its clip, in place by stride. qkv [B, T, ..., 3C] = q | k | v.
 * `bias` f32 [heads, 2R + 1] is added to the logits: entry clamp(o, -R, R) + R, where o is the signed way from the query's frame
 * to the key's, the shorter way round the circle of T frames (T/2 counts as forward). Returns [B, T, ..., C].
 */
export function temporalAttention(plan: Plan, qkv: Tensor, options: HeadOptions & { readonly bias?: Tensor }): Tensor {
  const op = 'temporalAttention';
  const { heads, bias } = options;
  if (qkv.shape.length < 4)
    throw new TypeError(`${op}: qkv is ${formatTensor(qkv)}, expected [B, T, H, W, 3C]; reshape it`);
  const { parts, shape } = fused(op, qkv, heads);
  const [clips, frames] = shape as [number, number];
  const positions = sizeOf(shape.slice(2, -1));
  const { headDim, aligned } = checkHeads(op, shape.at(-1)!, options);
  if (bias) {
    expectTensor(op, 'bias', bias, [heads, -1], 'f32', 'one row of 2R + 1 entries per head');
    if (bias.shape[1]! % 2 === 0) {
      throw new TypeError(`${op}: bias is ${formatTensor(bias)}, expected an odd number of entries: offsets -R to R`);
    }
  }
  const batches = clips * positions;
  const wanted =
    options.schedule ?? chooseSchedule(plan, { headDim, queries: frames, keys: frames, slots: batches * heads });
  const schedule = possible(plan, wanted, aligned);
  const kernel = temporalShader({ headDim, aligned, biased: bias !== undefined, schedule });
  return record(plan, kernel, schedule, {
    parts,
    shape,
    heads,
    batches,
    queries: frames,
    keys: frames,
    extra: bias ? [bias] : [],
    rowStep: positions,
    params: bias ? { reach: (bias.shape[1]! - 1) / 2 } : {},
  });
}

interface Fused {
  readonly parts: readonly [Rows, Rows, Rows];
  /** Shape of the result. */
  readonly shape: readonly number[];
  /** Rows of k and v per batch; as many as queries where it is not given. */
  readonly keys?: number;
}

function fused(op: string, qkv: Tensor, heads: number): Fused {
  const channels = qkv.shape.at(-1)!;
  expectTensor(op, 'qkv', qkv, qkv.shape);
  const width = channels / 3;
  if (!Number.isInteger(width)) {
    throw new TypeError(`${op}: qkv is ${formatTensor(qkv)}, expected 3C channels (q | k | v) for ${heads} heads`);
  }
  const part = (index: number): Rows => ({ tensor: qkv, stride: channels, offset: index * width });
  return { parts: [part(0), part(1), part(2)], shape: [...qkv.shape.slice(0, -1), width] };
}

/** The largest head whose accumulators stay in registers. */
const MOST_HEAD_DIM = 256;

function checkHeads(op: string, width: number, { heads }: HeadOptions): { headDim: number; aligned: boolean } {
  expectCount(op, 'heads', heads, width);
  const headDim = width / heads;
  if (!Number.isInteger(headDim) || headDim > MOST_HEAD_DIM) {
    throw new TypeError(
      `${op}: ${width} channels and ${heads} heads, expected heads to divide the channels into at most ${MOST_HEAD_DIM} each`,
    );
  }
  return { headDim, aligned: headDim % 4 === 0 };
}

/** Attention in which the queries of a batch are consecutive rows, and so are its keys. */
function withinRows(
  plan: Plan,
  op: string,
  { parts, shape, keys: given }: Fused,
  batches: number,
  mask: Tensor | undefined,
  options: HeadOptions,
): Tensor {
  const { heads } = options;
  const { headDim, aligned } = checkHeads(op, shape.at(-1)!, options);
  const queries = sizeOf(shape.slice(0, -1)) / batches;
  const keys = given ?? queries;
  const wanted = options.schedule ?? chooseSchedule(plan, { headDim, queries, keys, slots: batches * heads });
  const schedule = possible(plan, wanted, aligned);
  const kernel = attention({ headDim, aligned, masked: mask !== undefined, schedule });
  const extra = mask ? [mask] : [];
  return record(plan, kernel, schedule, {
    parts,
    shape,
    heads,
    batches,
    queries,
    keys,
    extra,
    rowStep: 1,
  });
}

function record(
  plan: Plan,
  kernel: Kernel,
  schedule: Schedule,
  call: {
    readonly parts: readonly [Rows, Rows, Rows];
    readonly shape: readonly number[];
    readonly heads: number;
    readonly batches: number;
    readonly queries: number;
    readonly keys: number;
    readonly extra: readonly Tensor[];
    readonly rowStep: number;
    readonly params?: Readonly<Record<string, number>>;
  },
): Tensor {
  const { parts, shape, heads, batches, queries, keys } = call;
  const [q, k, v] = parts;
  const most = schedule.kind === 'whole' ? schedule.keys : schedule.kind === 'direct' ? schedule.most : undefined;
  if (most !== undefined && keys > most) {
    throw new RangeError(`attention: ${keys} keys, this schedule takes at most ${most}; choose another`);
  }
  const width = shape.at(-1)!;
  const out = plan.alloc(shape);
  const tiles = batches * heads * streamingTiles(schedule, queries);
  const grid: Grid = linearGrid(tiles, streamingWorkgroup(schedule));
  plan.call(
    kernel,
    [q.tensor, k.tensor, v.tensor, ...call.extra, out],
    grid,
    {
      batches,
      heads,
      queries,
      keys,
      rowStep: call.rowStep,
      queryStride: q.stride,
      queryOffset: q.offset,
      keyStride: k.stride,
      keyOffset: k.offset,
      valueStride: v.stride,
      valueOffset: v.offset,
      outStride: width,
      scale: Math.LOG2E / Math.sqrt(width / heads),
      ...call.params,
    },
    { flops: 4 * batches * queries * keys * width },
  );
  return out;
}

/** In software: keys that one thread takes all at once in registers. Measured (docs/PERFORMANCE.md). */
const WHOLE_KEYS = 16;
/** In software: keys whose weights a thread keeps all at once. That one block is best is measured, its size is assumed. */
const FEW_KEYS = 64;
/** In software: wider heads leave room for two queries of a thread in its arrays, not four. Assumed. */
const WIDE_IN_ARRAYS = 80;
/** On GPUs twice as many lanes share a query of a wider head, and half of the keys are staged. Assumed. */
const WIDE_HEAD = 64;
/** A quarter of them. Assumed. */
const VERY_WIDE_HEAD = 160;
/** Workgroups of 32 queries that fill a GPU even if each of its threads takes two queries. Assumed. */
const MANY_WORKGROUPS = 512;

/**
 * The schedule for a shape. A software adapter gets the kernel without barriers; a GPU the tiled one, with more threads per query
 * for wide heads and where there are few workgroups.
 */
export function chooseSchedule(
  plan: Pick<Plan, 'gpu'>,
  shape: { readonly headDim: number; readonly queries: number; readonly keys: number; readonly slots: number },
): Schedule {
  const { headDim, queries, keys, slots } = shape;
  if (plan.gpu?.isSoftware) {
    // Tiles that waste the fewest rows: of equal waste the largest. Wide heads have less room for queries in arrays.
    if (keys <= WHOLE_KEYS) return { kind: 'whole', rows: leastWaste(queries, [4, 3, 2], 4), keys, quads: true };
    const rows = leastWaste(queries, headDim > WIDE_IN_ARRAYS ? [2, 1] : [4, 3, 2], 4);
    const single = keys <= FEW_KEYS ? { most: FEW_KEYS } : {};
    return { kind: 'direct', rows, keys: leastWaste(keys, [4, 3, 2], 1), quads: true, ...single };
  }
  const lanes = headDim > WIDE_HEAD ? 8 : 4;
  const tile = queries > 16 ? 32 : 16;
  const rows = slots * Math.ceil(queries / 32) >= MANY_WORKGROUPS && tile === 32 ? 2 : 1;
  // Wide heads do not leave room for 32 keys in workgroup memory: as f16 twice as many of them fit.
  const f16 = headDim > WIDE_HEAD && plan.gpu?.features.f16 === true;
  const most = (headDim > VERY_WIDE_HEAD ? 8 : headDim > WIDE_HEAD ? 16 : 32) * (f16 ? 2 : 1);
  return { kind: 'tiled', queries: tile, lanes, rows, keys: Math.min(most, keys > 16 ? 32 : 16), subgroups: true, f16 };
}

/** A schedule without what the adapter lacks: subgroups, or `shader-f16`. Quads need heads of whole vec4s, too. */
function possible(plan: Plan, schedule: Schedule, aligned: boolean): Schedule {
  const lanes = subgroupLanes(plan);
  if (schedule.kind !== 'tiled') return { ...schedule, quads: schedule.quads === true && aligned && lanes >= 4 };
  const subgroups = schedule.subgroups === true && schedule.lanes <= lanes;
  return { ...schedule, subgroups, f16: schedule.f16 === true && plan.gpu?.features.f16 === true };
}

function leastWaste(count: number, sizes: readonly number[], multiple: number): number {
  const padded = (size: number): number => Math.ceil(count / (size * multiple)) * size * multiple;
  return sizes.reduce((best, size) => (padded(size) < padded(best) ? size : best));
}
