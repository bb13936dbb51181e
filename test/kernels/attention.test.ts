// Every attention schedule against f64: within frames, to a prompt, among tokens; odd sizes, masks, extreme logits.
import { describe, expect, test } from 'vitest';
import { crossAttention, type Schedule, selfAttention, spatialAttention } from '../../src/ops/attention';
import { expectClose, randomValues, runPlan } from '../gpu';
import { attention, rowsOf } from '../reference/attention';

const tiled = (queries: number, lanes: number, rows: number, keys: number): Schedule => ({
  kind: 'tiled',
  queries,
  lanes,
  rows,
  keys,
});
const schedules: (readonly [name: string, schedule: Schedule | undefined])[] = [
  ['chosen', undefined],
  ['direct 1x1', { kind: 'direct', rows: 1, keys: 1 }],
  ['direct 4x4', { kind: 'direct', rows: 4, keys: 4 }],
  ['direct 4x4 of 64', { kind: 'direct', rows: 4, keys: 4, most: 64 }],
  ['direct 2x2 quads', { kind: 'direct', rows: 2, keys: 2, quads: true }],
  ['direct 2x3', { kind: 'direct', rows: 2, keys: 3 }],
  ['tiled 16x16/4', tiled(16, 4, 1, 16)],
  ['tiled 32x16/4x2', tiled(32, 4, 2, 16)],
  ['tiled 32x16/8', tiled(32, 8, 1, 16)],
];
const with_ = (schedule: Schedule | undefined) => (schedule ? { schedule } : {});

describe.each(schedules)('%s', (_, schedule) => {
  test.each([
    { heads: 2, headDim: 64, side: [8, 8], frames: 2 },
    { heads: 3, headDim: 4, side: [1, 1], frames: 1 },
    { heads: 1, headDim: 40, side: [5, 7], frames: 3 },
    { heads: 2, headDim: 160, side: [3, 6], frames: 1 },
    { heads: 3, headDim: 5, side: [3, 3], frames: 2 },
    { heads: 1, headDim: 6, side: [1, 33], frames: 1 },
  ])('spatial, fused: heads $heads of $headDim, $side in $frames frames', async ({ heads, headDim, side, frames }) => {
    const width = heads * headDim;
    const shape = [1, frames, ...side, 3 * width];
    const data = randomValues(
      shape.reduce((a, b) => a * b),
      3,
    );
    const tokens = side[0]! * side[1]!;
    const [out] = await runPlan((plan) => spatialAttention(plan, plan.f32(shape, data), { heads, ...with_(schedule) }));
    const [q, k, v] = [0, 1, 2].map((part) => rowsOf(data, 3 * width, part * width, width));
    const expected = Array.from({ length: frames }, (_, f) => {
      const own = (rows: Float64Array[]) => rows.slice(f * tokens, (f + 1) * tokens);
      return attention({ heads, q: own(q!), k: own(k!), v: own(v!) });
    }).flat();
    expectClose(
      out!,
      expected.flatMap((row) => [...row]),
      2e-6,
      [frames * tokens, width],
    );
  });

  test('spatial, three tensors', async () => {
    const [heads, width, shape] = [2, 24, [2, 2, 3, 3, 24]];
    const data = [1, 2, 3].map((seed) => randomValues(2 * 2 * 9 * width, seed));
    const [out] = await runPlan((plan) => {
      const [q, k, v] = data.map((values) => plan.f32(shape, values));
      return spatialAttention(plan, q!, k!, v!, { heads, ...with_(schedule) });
    });
    const [q, k, v] = data.map((values) => rowsOf(values, width, 0, width));
    const expected = [0, 1, 2, 3].flatMap((f) => {
      const own = (rows: Float64Array[]) => rows.slice(f * 9, f * 9 + 9);
      return attention({ heads, q: own(q!), k: own(k!), v: own(v!) });
    });
    expectClose(
      out!,
      expected.flatMap((row) => [...row]),
      2e-6,
      [36, width],
    );
  });

  test.each([
    { heads: 4, headDim: 64, length: 24, kept: [24, 5] },
    { heads: 2, headDim: 48, length: 7, kept: [1, 7] },
    { heads: 1, headDim: 8, length: 35, kept: [33, 0] },
    { heads: 2, headDim: 3, length: 3, kept: [2, 3] },
  ])('cross: heads $heads of $headDim, $length tokens, $kept kept', async ({ heads, headDim, length, kept }) => {
    const width = heads * headDim;
    const [frames, positions] = [3, 6];
    const q = randomValues(2 * frames * positions * width, 4);
    const kv = randomValues(2 * length * 2 * width, 5);
    const mask = kept.flatMap((count) => Array.from({ length }, (_, i) => (i < count ? 1 : 0)));
    const [out] = await runPlan((plan) =>
      crossAttention(plan, plan.f32([2, frames, 2, 3, width], q), plan.f32([2, length, 2 * width], kv), {
        heads,
        mask: plan.f32([2, length], mask),
        ...with_(schedule),
      }),
    );
    const queries = rowsOf(q, width, 0, width);
    const keys = rowsOf(kv, 2 * width, 0, width);
    const values = rowsOf(kv, 2 * width, width, width);
    const count = frames * positions;
    const expected = [0, 1].flatMap((b) =>
      attention({
        heads,
        q: queries.slice(b * count, (b + 1) * count),
        k: keys.slice(b * length, (b + 1) * length),
        v: values.slice(b * length, (b + 1) * length),
        mask: mask.slice(b * length, (b + 1) * length),
      }),
    );
    expectClose(
      out!,
      expected.flatMap((row) => [...row]),
      2e-6,
      [2 * count, width],
    );
  });

  test('tokens with padding in the middle', async () => {
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
    const [q, k, v] = [0, 1, 2].map((part) => rowsOf(data, 3 * width, part * width, width));
    const expected = [0, 1].flatMap((b) => {
      const own = (rows: Float64Array[]) => rows.slice(b * length, (b + 1) * length);
      return attention({ heads, q: own(q!), k: own(k!), v: own(v!), mask: mask.slice(b * length, (b + 1) * length) });
    });
    expectClose(
      out!,
      expected.flatMap((row) => [...row]),
      2e-6,
      [2 * length, width],
    );
  });

  test('logits in the thousands, rising and falling along the keys, stay finite and exact', async () => {
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
    const [q, k, v] = [0, 1, 2].map((part) => rowsOf(data, 3 * width, part * width, width));
    const expected = attention({ heads: 1, q: q!, k: k!, v: v! });
    expectClose(
      out!,
      expected.flatMap((row) => [...row]),
      1e-4,
      [tokens, width],
    );
    expect(Math.max(...[...out!].map(Math.abs))).toBeGreaterThan(0.1);
  });
});
