// Attention over frames in place, against f64: any T, circular bias, several clips and heads.
import { describe, test } from 'vitest';
import { type Schedule, temporalAttention } from '../../src/ops/attention';
import { expectClose, randomValues, runPlan } from '../gpu';
import { attention, circularOffset, rowsOf } from '../reference/attention';

const schedules: (readonly [name: string, schedule: Schedule | undefined])[] = [
  ['chosen', undefined],
  ['direct 3x3', { kind: 'direct', rows: 3, keys: 3 }],
  ['direct 3x3 of 64', { kind: 'direct', rows: 3, keys: 3, most: 64 }],
  ['direct 4x4', { kind: 'direct', rows: 4, keys: 4 }],
  ['direct 2x2 quads', { kind: 'direct', rows: 2, keys: 2, quads: true }],
  ['tiled 16x16/4', { kind: 'tiled', queries: 16, lanes: 4, rows: 1, keys: 16 }],
  ['tiled 32x16/8x2', { kind: 'tiled', queries: 32, lanes: 8, rows: 2, keys: 16 }],
];

describe.each(schedules)('%s', (_, schedule) => {
  test.each([
    { frames: 1, clips: 1, heads: 1, headDim: 4, reach: 4 },
    { frames: 2, clips: 2, heads: 2, headDim: 8, reach: 1 },
    { frames: 3, clips: 1, heads: 3, headDim: 20, reach: undefined },
    { frames: 9, clips: 2, heads: 4, headDim: 64, reach: 4 },
    { frames: 36, clips: 1, heads: 2, headDim: 12, reach: 4 },
    { frames: 64, clips: 1, heads: 1, headDim: 16, reach: 40 },
    { frames: 5, clips: 1, heads: 2, headDim: 7, reach: 2 },
    { frames: 9, clips: 1, heads: 1, headDim: 160, reach: 0 },
  ])('$frames frames, $clips clips, heads $heads of $headDim, reach $reach', async (shape) => {
    const { frames, clips, heads, headDim, reach } = shape;
    const width = heads * headDim;
    const [height, across] = [2, 3];
    const positions = height * across;
    const data = randomValues(clips * frames * positions * 3 * width, 8);
    const entries = reach === undefined ? 0 : 2 * reach + 1;
    const table = randomValues(heads * entries, 9);
    const [out] = await runPlan((plan) =>
      temporalAttention(plan, plan.f32([clips, frames, height, across, 3 * width], data), {
        heads,
        ...(reach === undefined ? {} : { bias: plan.f32([heads, entries], table) }),
        ...(schedule ? { schedule } : {}),
      }),
    );
    const [q, k, v] = [0, 1, 2].map((part) => rowsOf(data, 3 * width, part * width, width));
    const expected = new Float64Array(clips * frames * positions * width);
    for (let clip = 0; clip < clips; clip++) {
      for (let position = 0; position < positions; position++) {
        const rows = Array.from({ length: frames }, (_, t) => (clip * frames + t) * positions + position);
        const own = (all: Float64Array[]) => rows.map((row) => all[row]!);
        const result = attention({
          heads,
          q: own(q!),
          k: own(k!),
          v: own(v!),
          bias: (head, i, j) => {
            if (reach === undefined) return 0;
            const offset = Math.min(reach, Math.max(-reach, circularOffset(frames, i, j)));
            return table[head * entries + offset + reach]!;
          },
        });
        rows.forEach((row, t) => {
          expected.set(result[t]!, row * width);
        });
      }
    }
    expectClose(out!, expected, 2e-6, [clips, frames, positions, width]);
  });
});
