// Attention over frames in place, against f64: any T, circular bias, several clips and heads.
import { describe, test } from 'vitest';
import type { Schedule } from '../../src/ops/attention';
import { checkTemporal, gpuSchedule, type TemporalCase } from './attentions';

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
  test.each<TemporalCase>([
    { frames: 1, clips: 1, heads: 1, headDim: 4, reach: 4 },
    { frames: 2, clips: 2, heads: 2, headDim: 8, reach: 1 },
    { frames: 3, clips: 1, heads: 3, headDim: 20, reach: undefined },
    { frames: 9, clips: 2, heads: 4, headDim: 64, reach: 4 },
    { frames: 36, clips: 1, heads: 2, headDim: 12, reach: 4 },
    { frames: 64, clips: 1, heads: 1, headDim: 16, reach: 40 },
    { frames: 5, clips: 1, heads: 2, headDim: 7, reach: 2 },
    { frames: 9, clips: 1, heads: 1, headDim: 160, reach: 0 },
  ])('$frames frames, $clips clips, heads $heads of $headDim, reach $reach', (shape) => checkTemporal(shape, schedule));
});

describe('all keys at once', () => {
  test.each<readonly [TemporalCase, Schedule]>([
    [
      { frames: 9, clips: 1, heads: 2, headDim: 20, reach: 4 },
      { kind: 'whole', rows: 2, keys: 11, quads: true },
    ],
    [
      { frames: 5, clips: 2, heads: 3, headDim: 6, reach: undefined },
      { kind: 'whole', rows: 3, keys: 5 },
    ],
    [
      { frames: 1, clips: 1, heads: 1, headDim: 8, reach: 1 },
      { kind: 'whole', rows: 1, keys: 1 },
    ],
  ])('%o by %o', checkTemporal);
});

// Few shapes: these kernels take long to compile in software.
describe.each([
  ['few workgroups', gpuSchedule(64, 'few')],
  ['many workgroups', gpuSchedule(64, 'many')],
] as const)('as GPUs run it, %s', (_, schedule) => {
  test.each<TemporalCase>([
    { frames: 36, clips: 1, heads: 2, headDim: 12, reach: 4 },
    { frames: 33, clips: 2, heads: 1, headDim: 7, reach: undefined },
  ])('$frames frames, $clips clips, heads $heads of $headDim, reach $reach', (shape) => checkTemporal(shape, schedule));
});
