// Group norm and layer norm: checks shapes, chooses between one dispatch and three, records them. Not the WGSL.
import { groupNorm as groupNormShader } from '../../shaders/group_norm.wgsl';
import { groupNormApply, groupNormCoefficients, groupNormPartials } from '../../shaders/group_norm_wide.wgsl';
import { layerNorm as layerNormShader } from '../../shaders/layer_norm.wgsl';
import type { Width } from '../../shaders/norm.wgsl';
import { workgroupSize } from '../../shaders/wgsl';
import { linearGrid } from '../gpu/kernel';
import type { Plan } from '../gpu/plan';
import { sizeOf, type Tensor } from '../gpu/tensor';
import { expectCount, expectTensor, formatTensor } from './check';
import { subgroupLanes } from './subgroups';

export interface ScaleShift {
  /**
   * f32 [B, 2C] or [B·T, 2C] (or more columns, see `scaleShiftOffset`): C scales, then C shifts; y·(1 + scale) + shift.
   * (AdaGN of Dhariwal & Nichol 2021, AdaLN of Peebles & Xie 2023.)
   */
  readonly scaleShift?: Tensor;
  /** First column of the scales, where one projection makes several pairs. A multiple of 4 if C is one. Default 0. */
  readonly scaleShiftOffset?: number;
}

export interface GroupNormOptions extends ScaleShift {
  readonly groups: number;
  readonly eps: number;
  /** f32 [C]. */
  readonly weight: Tensor;
  /** f32 [C]. */
  readonly bias: Tensor;
  /** SiLU after everything else. */
  readonly silu?: boolean;
  /** Overrides the choice by shape and adapter (benchmarks, tests). */
  readonly schedule?: GroupNormSchedule;
}

/** 'group': one dispatch, a workgroup per group. 'wide': three dispatches, each as wide as the tensor. */
export type GroupNormSchedule =
  | { readonly kind: 'group' }
  | { readonly kind: 'wide'; readonly width: Width; readonly chunkRows: number; readonly reduce: 1 | 64 };

/** One group norm, checked: its tensors, and its sizes as the kernels count them. */
interface GroupNormCall {
  readonly x: Tensor;
  readonly out: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly shift: Shift;
  /** Frames of all clips, positions of a frame. */
  readonly spans: number;
  readonly rows: number;
  readonly channels: number;
  readonly groups: number;
  readonly eps: number;
  readonly silu: boolean;
}

/**
 * Group norm (Wu & He 2018) of x [B, T, ..., C] over the channels of a group and the positions of a frame, then scale-shift,
 * then SiLU. Returns the shape of x.
 * @throws TypeError where shapes do not fit
 */
export function groupNorm(plan: Plan, x: Tensor, options: GroupNormOptions): Tensor {
  const op = 'groupNorm';
  const { groups, eps, weight, bias, silu = false } = options;
  if (x.shape.length < 3) throw new TypeError(`${op}: x is ${formatTensor(x)}, expected [B, T, H, W, C]; reshape it`);
  expectTensor(op, 'x', x, x.shape);
  const channels = x.shape.at(-1)!;
  expectCount(op, 'groups', groups, channels);
  if (channels % groups !== 0) {
    throw new TypeError(`${op}: ${channels} channels and ${groups} groups, expected groups to divide the channels`);
  }
  expectTensor(op, 'weight', weight, [channels], 'f32', `x is ${formatTensor(x)}`);
  expectTensor(op, 'bias', bias, [channels], 'f32', `x is ${formatTensor(x)}`);
  const [clips, frames] = x.shape as [number, number];
  const spans = clips * frames;
  const rows = sizeOf(x.shape) / channels / spans;
  const shift = checkShift(op, x, options, [clips, spans]);
  const out = plan.alloc(x.shape);
  const schedule = options.schedule ?? chooseGroupNorm(plan, { spans, rows, channels, groups });
  const call: GroupNormCall = { x, out, weight, bias, shift, spans, rows, channels, groups, eps, silu };
  if (schedule.kind === 'group') callByGroup(plan, call);
  else callWide(plan, call, schedule);
  return out;
}

/** One dispatch, a workgroup per group. */
function callByGroup(plan: Plan, call: GroupNormCall): void {
  const { x, out, weight, bias, shift, spans, rows, channels, groups, eps, silu } = call;
  const size = channels / groups;
  const width = size % 4 === 0 && shift.offset % 4 === 0 && shift.stride % 4 === 0 ? 4 : 1;
  plan.call(
    groupNormShader({ width, groupVectors: size / width, silu, scaleShift: shift.args.length > 0 }),
    [x, weight, bias, ...shift.args, out],
    linearGrid(spans * groups, 1),
    {
      spans,
      groups,
      channels: channels / width,
      rows,
      rowsPerShift: (spans * rows) / shift.rows,
      shiftStride: shift.stride / width,
      shiftOffset: shift.offset / width,
      eps,
    },
    { flops: 12 * sizeOf(x.shape) },
  );
}

/** Three dispatches, each as wide as the tensor: partial sums, coefficients, and x·a + b. */
function callWide(plan: Plan, call: GroupNormCall, schedule: Extract<GroupNormSchedule, { kind: 'wide' }>): void {
  const { x, out, weight, bias, shift, spans, rows, channels, groups, eps, silu } = call;
  const { chunkRows, reduce } = schedule;
  const width = channels % schedule.width === 0 ? schedule.width : 1;
  const chunks = Math.ceil(rows / chunkRows);
  const vectors = channels / width;
  const partials = plan.alloc([spans, chunks, 2, channels]);
  const wide = { threads: spans * chunks * vectors, rows, channels: vectors, chunks, chunkRows };
  const grid = linearGrid(wide.threads, workgroupSize);
  plan.call(groupNormPartials({ width }), [x, partials], grid, wide, { flops: 4 * sizeOf(x.shape) });
  const coefficients = plan.alloc([spans, 2, channels]);
  plan.call(
    groupNormCoefficients({ scaleShift: shift.args.length > 0, threads: reduce }),
    [partials, weight, bias, ...shift.args, coefficients],
    linearGrid(spans * groups, reduce === 1 ? workgroupSize : 1),
    {
      spans,
      groups,
      channels,
      rows,
      chunks,
      chunkRows,
      spansPerShift: spans / shift.rows,
      shiftStride: shift.stride,
      shiftOffset: shift.offset,
      eps,
    },
    { flops: 8 * sizeOf(partials.shape) },
  );
  plan.call(groupNormApply({ width, silu }), [x, coefficients, out], grid, wide, {
    flops: (silu ? 6 : 2) * sizeOf(x.shape),
  });
}

/** Elements of a group that one workgroup normalises quickly enough by itself, and groups that fill a GPU anyway. Assumed. */
const SMALL_GROUP = 16384;
const MANY_GROUPS = 256;
/** Rows that one thread of the wide kernels sums. Assumed. */
const CHUNK_ROWS = { software: 64, hardware: 32 } as const;

/** One workgroup per group where groups are small or many; else as wide as the tensor. Barriers are slow in software. */
function chooseGroupNorm(
  plan: Plan,
  { spans, rows, channels, groups }: Pick<GroupNormCall, 'spans' | 'rows' | 'channels' | 'groups'>,
): GroupNormSchedule {
  if (plan.gpu?.isSoftware) return { kind: 'wide', width: 4, chunkRows: CHUNK_ROWS.software, reduce: 1 };
  if ((rows * channels) / groups <= SMALL_GROUP || spans * groups >= MANY_GROUPS) return { kind: 'group' };
  return { kind: 'wide', width: 4, chunkRows: CHUNK_ROWS.hardware, reduce: 64 };
}

export interface LayerNormOptions extends ScaleShift {
  readonly eps: number;
  /** f32 [C]. */
  readonly weight?: Tensor;
  /** f32 [C]. */
  readonly bias?: Tensor;
  /** Overrides the choice by adapter (benchmarks, tests). */
  readonly schedule?: LayerNormSchedule;
}

/** Threads that share a row, rows of a workgroup, channels read at once, and whether the threads sum by shuffles where they can. */
export interface LayerNormSchedule {
  readonly subgroups?: boolean;
  readonly lanes: number;
  readonly rows: number;
  readonly width: Width;
}

/**
 * Layer norm (Ba et al. 2016) over the last axis of x [B, ..., C], then scale-shift. Returns the shape of x.
 * @throws TypeError where shapes do not fit
 */
export function layerNorm(plan: Plan, x: Tensor, options: LayerNormOptions): Tensor {
  const op = 'layerNorm';
  const { eps, weight, bias } = options;
  if (x.shape.length < 2) throw new TypeError(`${op}: x is ${formatTensor(x)}, expected [B, ..., C]; reshape it`);
  expectTensor(op, 'x', x, x.shape);
  const channels = x.shape.at(-1)!;
  const [batch, frames] = x.shape as [number, number];
  if (weight) expectTensor(op, 'weight', weight, [channels], 'f32', `x is ${formatTensor(x)}`);
  if (bias) expectTensor(op, 'bias', bias, [channels], 'f32', `x is ${formatTensor(x)}`);
  const shift = checkShift(op, x, options, x.shape.length > 2 ? [batch, batch * frames] : [batch]);
  const rows = sizeOf(x.shape) / channels;
  const schedule = options.schedule ?? chooseLayerNorm(plan);
  const aligned = channels % 4 === 0 && shift.offset % 4 === 0 && shift.stride % 4 === 0;
  const width = aligned ? schedule.width : 1;
  const subgroups = schedule.subgroups === true && schedule.lanes <= subgroupLanes(plan);
  const out = plan.alloc(x.shape);
  plan.call(
    layerNormShader({
      ...schedule,
      subgroups,
      width,
      weight: !!weight,
      bias: !!bias,
      scaleShift: shift.args.length > 0,
    }),
    [x, ...(weight ? [weight] : []), ...(bias ? [bias] : []), ...shift.args, out],
    linearGrid(rows, schedule.rows),
    {
      rows,
      channels: channels / width,
      rowsPerShift: rows / shift.rows,
      shiftStride: shift.stride / width,
      shiftOffset: shift.offset / width,
      eps,
    },
    { flops: 9 * sizeOf(x.shape) },
  );
  return out;
}

/** Lanes and rows of a workgroup of 64 are assumed. */
function chooseLayerNorm(plan: Plan): LayerNormSchedule {
  return plan.gpu?.isSoftware ? { lanes: 1, rows: 64, width: 4 } : { lanes: 16, rows: 4, width: 4, subgroups: true };
}

interface Shift {
  /** The scale-shift, or nothing. */
  readonly args: readonly Tensor[];
  readonly rows: number;
  readonly stride: number;
  readonly offset: number;
}

const noShift: Shift = { args: [], rows: 1, stride: 0, offset: 0 };

/** A scale-shift has one row per clip or per frame, and its columns lie within the tensor. */
function checkShift(op: string, x: Tensor, options: ScaleShift, rowCounts: readonly number[]): Shift {
  const { scaleShift: tensor, scaleShiftOffset: offset = 0 } = options;
  if (!tensor) return noShift;
  const channels = x.shape.at(-1)!;
  const [rows = 0, stride = 0] = tensor.shape;
  const fits =
    tensor.dtype === 'f32' &&
    tensor.shape.length === 2 &&
    rowCounts.includes(rows) &&
    Number.isInteger(offset) &&
    offset >= 0 &&
    offset + 2 * channels <= stride;
  if (!fits) {
    throw new TypeError(
      `${op}: scaleShift is ${formatTensor(tensor)} from column ${offset}, expected [${rowCounts.join(' or ')}, at least ` +
        `${offset + 2 * channels}] f32 for x ${formatTensor(x)}; C scales, then C shifts`,
    );
  }
  return { args: [tensor], rows, stride, offset };
}
