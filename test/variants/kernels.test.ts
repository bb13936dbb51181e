// What browsers' software adapters lack, on an adapter that has it: weights read as f16, keys and values staged as f16, sums by
// subgroups of eight. Each against the reference of every other variant, so that sums must be f32's. Not their speed.
import { beforeAll, describe, expect, test } from 'vitest';
import { hasConsecutiveSubgroups } from '../../src/gpu/subgroup-layout';
import type { Schedule } from '../../src/ops/attention';
import type { Conv3dVariant } from '../../src/ops/conv3d';
import type { LinearVariant } from '../../src/ops/linear';
import { testGpu } from '../gpu';
import {
  type CrossCase,
  checkCross,
  checkExtremes,
  checkSelf,
  checkSpatial,
  checkTemporal,
  gpuSchedule,
  type SpatialCase,
  type TemporalCase,
} from '../kernels/attentions';
import { gemmTiles, smallTile } from '../kernels/grids/gemm';
import { checkLayerNorm, type LayerNormCase } from '../kernels/norms';
import { type Conv3dCase, checkConv3d, checkLinear, type LinearCase } from '../kernels/products';

beforeAll(async () => {
  const { features, adapterInfo } = await testGpu();
  // An adapter without them would be given other kernels, and every test here would pass for nothing.
  expect(features, adapterInfo.description).toMatchObject({ f16: true, subgroups: true });
  expect(adapterInfo.subgroupMinSize, 'threads of a subgroup').toBeGreaterThanOrEqual(8);
});

test('threads of its subgroups are consecutive, as far as it says that they are', async () => {
  const gpu = await testGpu();
  expect(await hasConsecutiveSubgroups(gpu)).toBe(true);
});

const name = (value: object | undefined): string =>
  value ? JSON.stringify(value).replace(/["{}]/g, '') : 'chosen by shape';

const shared = { unroll: 4, shared: true } as const;
const tiled = { kind: 'tiled', tile: smallTile } as const;

const linearRuns: readonly (readonly [LinearCase, LinearVariant | undefined])[] = [
  [{ lead: [24], cin: 48, cout: 96, bias: true, activation: 'gelu' }, undefined],
  [
    { lead: [2, 3, 5], cin: 16, cout: 36, bias: true, residual: true },
    { kind: 'direct', rows: 3, columns: 2, ...shared },
  ],
  [{ lead: [2, 3, 5], cin: 16, cout: 36, bias: true, residual: true }, tiled],
  [{ lead: [4], cin: 6, cout: 70, bias: true, residual: true }, { kind: 'split' }],
  [{ lead: [3], cin: 256, cout: 64, bias: true, activation: 'silu' }, { kind: 'split' }],
  [
    { lead: [7], cin: 5, cout: 3, bias: true, residual: true, activation: 'silu' },
    { kind: 'direct', rows: 1, columns: 1, unroll: 1, shared: false },
  ],
  [{ lead: [7], cin: 5, cout: 3, bias: true, residual: true, activation: 'silu' }, tiled],
  [{ lead: [37], cin: 30, cout: 66, residual: true, activation: 'gelu' }, tiled],
  [
    { lead: [3, 7], cin: 36, cout: 20, bias: true, residual: true, activation: 'silu' },
    { ...tiled, slices: 3 },
  ],
  ...gemmTiles.map(
    (tile) =>
      [
        { lead: [3, 13], cin: 36, cout: 40, bias: true, residual: true },
        { kind: 'tiled', tile },
      ] as const,
  ),
];

test.for(linearRuns.map(([shape, variant]) => [`${name(shape)} | ${name(variant)}`, shape, variant] as const))(
  'linear, f16 weights: %s',
  ([, shape, variant]) => checkLinear(shape, variant),
);

const square = { kernel: [1, 3, 3], padding: [0, 1, 1] } as const;
const overTime = { kernel: [3, 1, 1], padding: [1, 0, 0], circular: [true, false, false] } as const;

const convRuns: readonly (readonly [Conv3dCase, Conv3dVariant | undefined])[] = [
  [{ input: [1, 2, 9, 11, 16], cout: 20, ...square, bias: true, activation: 'silu' }, undefined],
  [
    { input: [2, 3, 5, 7, 4], cout: 8, ...square, bias: true },
    { kind: 'direct', axis: 'width', lines: 1, strip: 3, columns: 2, unroll: 2, shared: false },
  ],
  [
    { input: [2, 3, 5, 7, 4], cout: 36, ...square, residual: true },
    { kind: 'direct', axis: 'width', lines: 2, strip: 5, columns: 1, ...shared },
  ],
  [{ input: [1, 2, 9, 8, 12], cout: 20, ...square, stride: [1, 2, 2], bias: true, residual: true }, tiled],
  [{ input: [1, 2, 6, 5, 3], cout: 5, ...square, bias: true, residual: true, activation: 'silu' }, tiled],
  [{ input: [1, 2, 6, 5, 3], cout: 5, ...square, bias: true }, undefined],
  [{ input: [2, 9, 3, 5, 8], cout: 12, ...overTime, residual: true, bias: true }, undefined],
  [{ input: [2, 9, 3, 5, 8], cout: 12, ...overTime }, tiled],
  [
    { input: [2, 9, 3, 5, 8], cout: 12, ...overTime, bias: true },
    { ...tiled, slices: 3 },
  ],
  [{ input: [2, 5, 4, 3, 12], cout: 12, kernel: [3, 3, 3], padding: [1, 1, 1], circular: [true, false, false] }, tiled],
  ...gemmTiles.map(
    (tile) =>
      [
        { input: [1, 2, 6, 5, 3], cout: 5, ...square, bias: true, residual: true },
        { kind: 'tiled', tile },
      ] as const,
  ),
];

test.for(convRuns.map(([shape, variant]) => [`${name(shape)} | ${name(variant)}`, shape, variant] as const))(
  'conv3d, f16 weights: %s',
  ([, shape, variant]) => checkConv3d(shape, variant),
);

const attentions: readonly Schedule[] = [
  { kind: 'tiled', queries: 16, lanes: 4, rows: 2, keys: 16, f16: true },
  { kind: 'tiled', queries: 32, lanes: 8, rows: 1, keys: 16, subgroups: true, f16: true },
  gpuSchedule(64, 'few'),
  gpuSchedule(64, 'many'),
];

describe.each(attentions.map((schedule) => [name(schedule), schedule] as const))('attention %s', (_, schedule) => {
  test.each<SpatialCase>([
    { heads: 2, headDim: 64, side: [3, 6], frames: 2 },
    { heads: 3, headDim: 5, side: [5, 7], frames: 1 },
  ])('spatial: heads $heads of $headDim, $side in $frames frames', (shape) => checkSpatial(shape, schedule));

  test.each<CrossCase>([
    { heads: 2, headDim: 64, length: 24, kept: [24, 5] },
    { heads: 1, headDim: 6, length: 19, kept: [18, 0] },
  ])('cross: heads $heads of $headDim, $length tokens, $kept kept', (shape) => checkCross(shape, schedule));

  test.each<TemporalCase>([
    { frames: 9, clips: 2, heads: 2, headDim: 64, reach: 4 },
    { frames: 5, clips: 1, heads: 2, headDim: 7, reach: undefined },
  ])('temporal: $frames frames, heads $heads of $headDim, reach $reach', (shape) => checkTemporal(shape, schedule));

  test('tokens with padding in the middle', () => checkSelf(schedule));

  test('logits in the thousands stay finite and exact', () => checkExtremes(schedule));
});

test.each(['few', 'many'] as const)('attention of wide heads as GPUs run it, %s workgroups', (workgroups) =>
  checkSpatial({ heads: 2, headDim: 96, side: [5, 7], frames: 1 }, gpuSchedule(96, workgroups, { f16: true })),
);

const { subgroupMinSize = 0 } = (await testGpu()).adapterInfo;
describe.each([4, 8, 16].filter((lanes) => lanes <= subgroupMinSize))('layer norm, %i lanes of a subgroup', (lanes) => {
  test.each<LayerNormCase>([
    { shape: [1, 3, 5, 256], weight: true, bias: true, shift: undefined, offset: 0 },
    { shape: [2, 3, 5, 24], weight: true, bias: false, shift: 'frame', offset: 48 },
    { shape: [2, 70, 7], weight: true, bias: true, shift: 'clip', offset: 3 },
  ])('$shape, weight $weight, bias $bias, shift $shift from $offset', (shape) =>
    checkLayerNorm(shape, { lanes, rows: 64 / lanes, width: 4, subgroups: true }),
  );
});
