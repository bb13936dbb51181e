// Every attention schedule against f64: within frames, to a prompt, among tokens; odd sizes, masks, extreme logits.
import { describe, test } from 'vitest';
import type { Schedule } from '../../src/ops/attention';
import {
  type CrossCase,
  checkCross,
  checkExtremes,
  checkSelf,
  checkSpatial,
  gpuSchedule,
  type SpatialCase,
} from './attentions';

const tiled = (queries: number, lanes: number, rows: number, keys: number) =>
  ({ kind: 'tiled', queries, lanes, rows, keys }) as const;
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
  // Where the adapter has them; test/variants insists.
  ['tiled 16x16/4x2 subgroups', { ...tiled(16, 4, 2, 16), subgroups: true }],
];

describe.each(schedules)('%s', (_, schedule) => {
  test.each<SpatialCase>([
    { heads: 2, headDim: 64, side: [8, 8], frames: 2 },
    { heads: 3, headDim: 4, side: [1, 1], frames: 1, clips: 2 },
    { heads: 1, headDim: 40, side: [5, 7], frames: 3 },
    { heads: 2, headDim: 160, side: [3, 6], frames: 1 },
    { heads: 3, headDim: 5, side: [3, 3], frames: 2 },
    { heads: 1, headDim: 6, side: [1, 33], frames: 1 },
  ])('spatial: heads $heads of $headDim, $side in $frames frames', (shape) => checkSpatial(shape, schedule));

  test.each<CrossCase>([
    { heads: 4, headDim: 64, length: 24, kept: [24, 5] },
    { heads: 2, headDim: 48, length: 7, kept: [1, 7] },
    { heads: 1, headDim: 8, length: 35, kept: [33, 0] },
    { heads: 2, headDim: 3, length: 3, kept: [2, 3] },
  ])('cross: heads $heads of $headDim, $length tokens, $kept kept', (shape) => checkCross(shape, schedule));

  test('tokens with padding in the middle', () => checkSelf(schedule));

  test('logits in the thousands, rising and falling along the keys, stay finite and exact', () =>
    checkExtremes(schedule));
});

// Few shapes, with tiles of 32 that are full and that are not: these kernels take long to compile in software.
describe.each([
  ['few workgroups', gpuSchedule(64, 'few')],
  ['many workgroups', gpuSchedule(64, 'many')],
  ['many workgroups without subgroups', { ...gpuSchedule(64, 'many'), subgroups: false } as Schedule],
] as const)('as GPUs run it, %s', (_, schedule) => {
  test.each<SpatialCase>([
    { heads: 1, headDim: 64, side: [5, 7], frames: 2 },
    { heads: 2, headDim: 6, side: [1, 33], frames: 1 },
  ])('spatial: heads $heads of $headDim, $side in $frames frames', (shape) => checkSpatial(shape, schedule));

  test('to a prompt', () => checkCross({ heads: 1, headDim: 8, length: 35, kept: [33, 0] }, schedule));

  test('logits in the thousands', () => checkExtremes(schedule));
});
