// Group norm and layer norm, every schedule, against f64: odd sizes, scale-shift per clip and per frame.
import { describe, test } from 'vitest';
import { type GroupNormSchedule, groupNorm, type LayerNormSchedule } from '../../src/ops/norm';
import { expectClose, randomValues, runPlan } from '../gpu';
import * as reference from '../reference/norm';
import { checkLayerNorm, eps, type LayerNormCase } from './norms';

const groupSchedules: (readonly [name: string, schedule: GroupNormSchedule | undefined])[] = [
  ['chosen', undefined],
  ['group', { kind: 'group' }],
  ['wide x1', { kind: 'wide', width: 1, chunkRows: 7, reduce: 1 }],
  ['wide x4', { kind: 'wide', width: 4, chunkRows: 16, reduce: 64 }],
];

describe.each(groupSchedules)('group norm %s', (_, schedule) => {
  test.each([
    { shape: [1, 2, 8, 8, 64], groups: 8, silu: true, shift: undefined, mean: 0 },
    { shape: [2, 3, 3, 5, 32], groups: 8, silu: true, shift: 'clip', mean: 3 },
    { shape: [2, 3, 3, 5, 32], groups: 8, silu: false, shift: 'frame', mean: -3 },
    { shape: [2, 3, 2, 2, 24], groups: 3, silu: true, shift: 'clip', mean: 0 },
    { shape: [2, 3, 2, 2, 24], groups: 3, silu: false, shift: 'frame', mean: 0 },
    { shape: [1, 1, 1, 1, 6], groups: 3, silu: false, shift: undefined, mean: 0 },
    { shape: [1, 2, 5, 3, 15], groups: 5, silu: true, shift: 'clip', mean: 1 },
    { shape: [1, 1, 9, 11, 12], groups: 1, silu: false, shift: undefined, mean: 1 },
    { shape: [1, 1, 33, 31, 40], groups: 10, silu: true, shift: undefined, mean: 0 },
    { shape: [1, 2, 4, 4, 7], groups: 7, silu: false, shift: undefined, mean: 0 },
  ] as const)('$shape in $groups groups, silu $silu, shift $shift', async (args) => {
    const { shape, groups, silu, shift, mean } = args;
    const [clips, frames] = shape;
    const channels = shape[4];
    const count = shape.reduce<number>((a, b) => a * b, 1);
    const x = randomValues(count, 11).map((value) => value * 2 + mean);
    const weight = randomValues(channels, 12);
    const bias = randomValues(channels, 13);
    const shiftRows = shift === 'clip' ? clips : clips * frames;
    const scaleShift = randomValues(shiftRows * 2 * channels, 14);
    const [out] = await runPlan((plan) =>
      groupNorm(plan, plan.f32(shape, x), {
        groups,
        eps,
        weight: plan.f32([channels], weight),
        bias: plan.f32([channels], bias),
        silu,
        ...(shift ? { scaleShift: plan.f32([shiftRows, 2 * channels], scaleShift) } : {}),
        ...(schedule ? { schedule } : {}),
      }),
    );
    const rowsPerShift = count / channels / shiftRows;
    const expected = reference.groupNorm({
      x,
      spans: clips * frames,
      channels,
      groups,
      eps,
      weight,
      bias,
      silu,
      ...(shift
        ? {
            scaleShift: (row: number, c: number) => {
              const at = Math.floor(row / rowsPerShift) * 2 * channels + c;
              return [scaleShift[at]!, scaleShift[at + channels]!] as const;
            },
          }
        : {}),
    });
    expectClose(out!, expected, 5e-6, shape);
  });

  test('a mean a thousand times the deviation keeps its digits', async () => {
    const shape = [1, 1, 16, 16, 16];
    const x = randomValues(16 * 16 * 16, 15).map((value) => value + 1000);
    const [out] = await runPlan((plan) =>
      groupNorm(plan, plan.f32(shape, x), {
        groups: 4,
        eps,
        weight: plan.f32([16], new Array(16).fill(1)),
        bias: plan.f32([16], new Array(16).fill(0)),
        ...(schedule ? { schedule } : {}),
      }),
    );
    // x itself has 2^-14 of its deviation per unit in the last place.
    expectClose(out!, reference.groupNorm({ x, spans: 1, channels: 16, groups: 4, eps }), 1e-4, shape);
  });
});

const layerSchedules: (readonly [name: string, schedule: LayerNormSchedule | undefined])[] = [
  ['chosen', undefined],
  ['16 lanes x4', { lanes: 16, rows: 4, width: 4 }],
  ['4 lanes through subgroups', { lanes: 4, rows: 16, width: 4, subgroups: true }],
  ['4 lanes x1', { lanes: 4, rows: 1, width: 1 }],
  ['1 lane x1', { lanes: 1, rows: 64, width: 1 }],
  ['1 lane x4', { lanes: 1, rows: 64, width: 4 }],
];

describe.each(layerSchedules)('layer norm %s', (_, schedule) => {
  test.each<LayerNormCase>([
    { shape: [1, 3, 5, 256], weight: true, bias: true, shift: undefined, offset: 0 },
    { shape: [2, 3, 5, 24], weight: false, bias: false, shift: 'clip', offset: 0 },
    { shape: [2, 3, 5, 24], weight: true, bias: false, shift: 'frame', offset: 48 },
    { shape: [3, 1], weight: false, bias: true, shift: undefined, offset: 0 },
    { shape: [2, 70, 7], weight: true, bias: true, shift: 'clip', offset: 3 },
    { shape: [2, 192], weight: true, bias: true, shift: 'clip', offset: 0 },
  ])('$shape, weight $weight, bias $bias, shift $shift from $offset', (args) => checkLayerNorm(args, schedule));
});
