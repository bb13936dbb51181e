// One attention against the f64 reference: what the tests of every adapter share. Not the cases.
import { expect } from 'vitest';
import type { Gpu } from '../../src/gpu/device';
import {
  chooseSchedule,
  crossAttention,
  type Schedule,
  selfAttention,
  spatialAttention,
  temporalAttention,
} from '../../src/ops/attention';
import { expectClose, randomValues, roundToHalf, runPlan, testGpu } from '../gpu';
import { type AttentionCase, attention, circularOffset, rowsOf } from '../reference/attention';

type MaybeSchedule = Schedule | undefined;

const tolerance = 2e-6;

const with_ = (schedule: MaybeSchedule) => (schedule ? { schedule } : {});

/**
 * What GPUs are given where there are more than 16 keys. Where no schedule is named, tests run what their own adapter is given,
 * which mostly is a processor.
 * @param workgroups few or many, which decides on the rows of a thread
 */
export function gpuSchedule(headDim: number, workgroups: 'few' | 'many', features = { f16: false }): Schedule {
  const gpu = { isSoftware: false, features } as Gpu;
  return chooseSchedule({ gpu }, { headDim, queries: 64, keys: 64, slots: workgroups === 'few' ? 1 : 512 });
}

/** The reference for keys and values as the schedule stages them: rounded to f16, or as they are. Sums are f32's in either case. */
async function referenceFor(
  schedule: MaybeSchedule,
  shape: { readonly heads: number; readonly width: number; readonly queries: number; readonly keys: number },
  batches: number,
): Promise<(options: AttentionCase) => Float64Array[]> {
  const gpu = await testGpu();
  const headDim = shape.width / shape.heads;
  const used = schedule ?? chooseSchedule({ gpu }, { ...shape, headDim, slots: batches * shape.heads });
  if (used.kind !== 'tiled' || !used.f16) return attention;
  expect(gpu.features.f16, 'shader-f16').toBe(true);
  const rounded = (rows: readonly ArrayLike<number>[]) => rows.map(roundToHalf);
  return (options) => attention({ ...options, k: rounded(options.k), v: rounded(options.v) });
}

/** q, k and v of a fused [..., 3C]. */
function parts(data: ArrayLike<number>, width: number): [Float64Array[], Float64Array[], Float64Array[]] {
  const part = (index: number) => rowsOf(data, 3 * width, index * width, width);
  return [part(0), part(1), part(2)];
}

function expectRows(actual: ArrayLike<number>, expected: readonly Float64Array[], limit = tolerance): void {
  const numbers = expected.flatMap((row) => [...row]);
  expectClose(actual, numbers, limit, [expected.length, expected[0]!.length]);
}

export interface SpatialCase {
  readonly heads: number;
  readonly headDim: number;
  readonly side: readonly [number, number];
  readonly frames: number;
  /** Default 1. */
  readonly clips?: number;
}

/** Within frames, q, k and v in one tensor. */
export async function checkSpatial({ heads, headDim, side, frames, clips = 1 }: SpatialCase, schedule: MaybeSchedule) {
  const width = heads * headDim;
  const tokens = side[0] * side[1];
  const shape = [clips, frames, ...side, 3 * width];
  const data = randomValues(clips * frames * tokens * 3 * width, 3);
  const [out] = await runPlan((plan) => spatialAttention(plan, plan.f32(shape, data), { heads, ...with_(schedule) }));
  const [q, k, v] = parts(data, width);
  const reference = await referenceFor(schedule, { heads, width, queries: tokens, keys: tokens }, clips * frames);
  const expected = Array.from({ length: clips * frames }, (_, f) => {
    const own = (rows: Float64Array[]) => rows.slice(f * tokens, (f + 1) * tokens);
    return reference({ heads, q: own(q), k: own(k), v: own(v) });
  });
  expectRows(out!, expected.flat());
}

export interface CrossCase {
  readonly heads: number;
  readonly headDim: number;
  readonly length: number;
  /** Tokens that are no padding, of each of two prompts. */
  readonly kept: readonly [number, number];
}

/** Two clips of three frames to the tokens of their prompts. */
export async function checkCross({ heads, headDim, length, kept }: CrossCase, schedule: MaybeSchedule) {
  const width = heads * headDim;
  const count = 18;
  const q = randomValues(2 * count * width, 4);
  const kv = randomValues(2 * length * 2 * width, 5);
  const mask = kept.flatMap((most) => Array.from({ length }, (_, i) => (i < most ? 1 : 0)));
  const [out] = await runPlan((plan) =>
    crossAttention(plan, plan.f32([2, 3, 2, 3, width], q), plan.f32([2, length, 2 * width], kv), {
      heads,
      mask: plan.f32([2, length], mask),
      ...with_(schedule),
    }),
  );
  const queries = rowsOf(q, width, 0, width);
  const [keys, values] = [0, 1].map((part) => rowsOf(kv, 2 * width, part * width, width));
  const reference = await referenceFor(schedule, { heads, width, queries: count, keys: length }, 2);
  const expected = [0, 1].flatMap((b) => {
    const tokens = <Item>(all: readonly Item[]) => all.slice(b * length, (b + 1) * length);
    const own = queries.slice(b * count, (b + 1) * count);
    return reference({ heads, q: own, k: tokens(keys!), v: tokens(values!), mask: tokens(mask) });
  });
  expectRows(out!, expected);
}

/** Among tokens, every fifth of which is padding. */
export async function checkSelf(schedule: MaybeSchedule) {
  const [heads, width, length] = [4, 192, 24];
  const data = randomValues(2 * length * 3 * width, 6);
  const mask = Array.from({ length: 2 * length }, (_, i) => (i % 5 === 1 ? 0 : 1));
  const [out] = await runPlan((plan) =>
    selfAttention(plan, plan.f32([2, length, 3 * width], data), {
      heads,
      mask: plan.f32([2, length], mask),
      ...with_(schedule),
    }),
  );
  const [q, k, v] = parts(data, width);
  const reference = await referenceFor(schedule, { heads, width, queries: length, keys: length }, 2);
  const expected = [0, 1].flatMap((b) => {
    const own = <Item>(all: readonly Item[]) => all.slice(b * length, (b + 1) * length);
    return reference({ heads, q: own(q), k: own(k), v: own(v), mask: own(mask) });
  });
  expectRows(out!, expected);
}

/** Logits in the thousands, rising and falling along the keys: finite, and as exact as f32 is at that size. */
export async function checkExtremes(schedule: MaybeSchedule) {
  const [width, tokens] = [8, 40];
  const data = randomValues(tokens * 3 * width, 7);
  for (let row = 0; row < tokens; row++) {
    for (let c = 0; c < width; c++) {
      data[row * 3 * width + c] = 30;
      data[row * 3 * width + width + c] = 20 * Math.sin(row / 6) * (c + 1);
    }
  }
  const [out] = await runPlan((plan) =>
    spatialAttention(plan, plan.f32([1, 1, tokens, 1, 3 * width], data), { heads: 1, ...with_(schedule) }),
  );
  const [q, k, v] = parts(data, width);
  const reference = await referenceFor(schedule, { heads: 1, width, queries: tokens, keys: tokens }, 1);
  expectRows(out!, reference({ heads: 1, q, k, v }), 1e-4);
  expect(Math.max(...[...out!].map(Math.abs))).toBeGreaterThan(0.1);
}

export interface TemporalCase {
  readonly frames: number;
  readonly clips: number;
  readonly heads: number;
  readonly headDim: number;
  /** Offsets that the bias tells apart, each way; no bias where it is not given. */
  readonly reach: number | undefined;
}

/** Across the frames of clips of 2x3 positions. */
export async function checkTemporal(shape: TemporalCase, schedule: MaybeSchedule) {
  const { frames, clips, heads, headDim, reach } = shape;
  const width = heads * headDim;
  const positions = 6;
  const data = randomValues(clips * frames * positions * 3 * width, 8);
  const entries = reach === undefined ? 0 : 2 * reach + 1;
  const table = randomValues(heads * entries, 9);
  const [out] = await runPlan((plan) =>
    temporalAttention(plan, plan.f32([clips, frames, 2, 3, 3 * width], data), {
      heads,
      ...(reach === undefined ? {} : { bias: plan.f32([heads, entries], table) }),
      ...with_(schedule),
    }),
  );
  const [q, k, v] = parts(data, width);
  const reference = await referenceFor(schedule, { heads, width, queries: frames, keys: frames }, clips * positions);
  const bias = (head: number, i: number, j: number) => {
    if (reach === undefined) return 0;
    const offset = Math.min(reach, Math.max(-reach, circularOffset(frames, i, j)));
    return table[head * entries + offset + reach]!;
  };
  const expected = new Float64Array(clips * frames * positions * width);
  for (let place = 0; place < clips * positions; place++) {
    const [clip, position] = [Math.floor(place / positions), place % positions];
    const rows = Array.from({ length: frames }, (_, t) => (clip * frames + t) * positions + position);
    const own = (all: Float64Array[]) => rows.map((row) => all[row]!);
    reference({ heads, q: own(q), k: own(k), v: own(v), bias }).forEach((row, t) => {
      expected.set(row, rows[t]! * width);
    });
  }
  expectClose(out!, expected, tolerance, [clips, frames, positions, width]);
}
