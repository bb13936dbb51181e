// What convolutions, linear layers, resampling and elementwise ops say about wrong shapes, and the work they declare.
// Dry runs: no GPU.
import { describe, expect, test } from 'vitest';
import { Plan } from '../../src/gpu/plan';
import { type Tensor, virtualTensor } from '../../src/gpu/tensor';
import { conv3d, conv3dVariants } from '../../src/ops/conv3d';
import { add, affine, concat, silu } from '../../src/ops/elementwise';
import { linear, linearVariants } from '../../src/ops/linear';
import {
  downsampleAverage,
  pixelShuffle,
  pixelUnshuffle,
  timeShuffle,
  timeUnshuffle,
  upsampleNearest,
} from '../../src/ops/resample';
import { evenPieces, gemmGrid, gemmTile } from '../../src/ops/tiles';
import { gemmTiles } from '../kernels/grids/gemm';

const f32 = (...shape: number[]): Tensor => virtualTensor(shape);
const f16 = (...shape: number[]): Tensor => virtualTensor(shape, 'f16');
const same = { kernel: [1, 3, 3], padding: [0, 1, 1] } as const;

const mistakes: readonly [what: string, call: (plan: Plan) => Tensor, says: readonly string[]][] = [
  [
    'x without a time axis',
    (p) => conv3d(p, f32(1, 4, 4, 8), { weight: f16(9, 8, 8), ...same }),
    ['[1, 4, 4, 8] f32', '[B, T, H, W, C]'],
  ],
  [
    'weights for other channels',
    (p) => conv3d(p, f32(1, 1, 4, 4, 8), { weight: f16(9, 4, 8), ...same }),
    ['[9, 4, 8] f16', '[9, 8, any] f16'],
  ],
  [
    'weights for another kernel',
    (p) => conv3d(p, f32(1, 1, 4, 4, 8), { weight: f16(27, 8, 8), ...same }),
    ['[27, 8, 8]', '[9, 8, any]'],
  ],
  ['f32 weights', (p) => conv3d(p, f32(1, 1, 4, 4, 8), { weight: f32(9, 8, 8), ...same }), ['f32', 'f16']],
  [
    'a bias of another length',
    (p) => conv3d(p, f32(1, 1, 4, 4, 8), { weight: f16(9, 8, 8), bias: f32(4), ...same }),
    ['bias', '[4]', '[8]'],
  ],
  [
    'a residual of another shape',
    (p) => conv3d(p, f32(1, 1, 4, 4, 8), { weight: f16(9, 8, 8), residual: f32(1, 1, 4, 4, 4), ...same }),
    ['residual', 'shape of the output'],
  ],
  [
    'a kernel larger than x',
    (p) => conv3d(p, f32(1, 1, 2, 2, 8), { weight: f16(9, 8, 8), kernel: [1, 3, 3] }),
    ['larger than x', 'more padding'],
  ],
  [
    'a stride of 0',
    (p) => conv3d(p, f32(1, 1, 4, 4, 8), { weight: f16(9, 8, 8), stride: [1, 0, 1], ...same }),
    ['stride', '[1,0,1]'],
  ],
  [
    'x for other channels',
    (p) => linear(p, f32(5, 8), { weight: f16(4, 8) }),
    ['[4, 8] f16', '[8, any] f16', '[5, 8]'],
  ],
  [
    'a linear bias of another length',
    (p) => linear(p, f32(5, 8), { weight: f16(8, 4), bias: f32(8) }),
    ['bias', '[8]', '[4]'],
  ],
  ['channels that are no square', (p) => pixelShuffle(p, f32(1, 1, 2, 2, 6), 2), ['channels', 'multiple of 4']],
  ['an odd height', (p) => pixelUnshuffle(p, f32(1, 1, 3, 2, 6), 2), ['height', 'multiple of 2']],
  ['channels that are no multiple', (p) => timeShuffle(p, f32(1, 1, 3, 2, 6), 4), ['channels', 'multiple of 4']],
  ['frames that are no multiple', (p) => timeUnshuffle(p, f32(1, 6, 3, 2, 6), 4), ['frames', 'multiple of 4']],
  ['a factor of 0', (p) => upsampleNearest(p, f32(1, 1, 2, 2, 4), [1, 0, 1]), ['factor is 0']],
  ['an odd width', (p) => downsampleAverage(p, f32(1, 1, 2, 3, 4), [1, 2, 2]), ['width', 'multiple of 2']],
  ['nothing to join', (p) => concat(p, []), ['0 tensors']],
  ['axes that differ', (p) => concat(p, [f32(2, 4), f32(3, 4)]), ['tensor 1', '[3, 4]', 'must agree']],
  [
    'eight tensors',
    (p) =>
      concat(
        p,
        Array.from({ length: 8 }, () => f32(2, 4)),
      ),
    ['8 tensors', 'groups'],
  ],
  ['terms that differ', (p) => add(p, f32(2, 4), f32(4)), ['[4]', '[2, 4]', 'broadcast']],
  ['a scale of another length', (p) => affine(p, f32(2, 4), { scale: f32(2), shift: f32(4) }), ['scale', '[2]', '[4]']],
  ['f16 activations', (p) => silu(p, f16(2, 4)), ['f16', 'f32']],
];

test.for(mistakes)('%s', ([, call, says]) => {
  const attempt = () => call(new Plan(null, 'dry run'));
  expect(attempt).toThrow(TypeError);
  for (const part of says) expect(attempt).toThrow(part);
});

describe('declared work', () => {
  test('a convolution counts every tap of every output', () => {
    const plan = new Plan(null, 'dry run');
    const out = conv3d(plan, f32(2, 3, 9, 8, 16), { weight: f16(9, 16, 24), stride: [1, 2, 2], ...same });
    expect(out.shape).toEqual([2, 3, 5, 4, 24]);
    expect(plan.stats).toMatchObject({
      dispatches: 1,
      flops: 2 * (2 * 3 * 5 * 4) * 24 * 9 * 16,
      weightBytes: 9 * 16 * 24 * 2 + 2 * 3 * 9 * 8 * 16 * 4,
    });
  });

  test('a 1x1x1 convolution is a linear layer', () => {
    const [a, b] = [new Plan(null, 'dry run'), new Plan(null, 'dry run')];
    conv3d(a, f32(1, 2, 4, 4, 16), { weight: f16(1, 16, 24), kernel: [1, 1, 1] });
    linear(b, f32(1, 2, 4, 4, 16), { weight: f16(16, 24) });
    expect(a.stats.flops).toBe(b.stats.flops);
    expect(a.stats.flops).toBe(2 * 32 * 16 * 24);
  });

  test('concat of one tensor is that tensor', () => {
    const x = f32(2, 4);
    expect(concat(new Plan(null, 'dry run'), [x])).toBe(x);
  });

  test('sizes that a GPU could hold but one grid axis could not', () => {
    const plan = new Plan(null, 'dry run');
    conv3d(plan, f32(1, 100, 1024, 1024, 8), { weight: f16(9, 8, 32), ...same });
    linear(plan, f32(2 ** 24, 8), { weight: f16(8, 32) });
    add(plan, f32(2 ** 25), f32(2 ** 25));
    expect(plan.stats.dispatches).toBe(3);
  });
});

describe('tiles', () => {
  test.for([
    [9, 16, 9],
    [36, 16, 12],
    [16, 16, 16],
    [17, 16, 9],
    [1, 16, 1],
  ])('%i in pieces of at most %i', ([extent, most, piece]) => expect(evenPieces(extent!, most!)).toBe(piece));

  test('many rows get the largest tile, few rows enough workgroups', () => {
    expect(gemmTile(100_000, 64, 64)).toMatchObject({ rows: 128, columns: 64, depth: 16 });
    expect(gemmTile(576, 256, 256)).toMatchObject({ rows: 32, columns: 32 });
    expect(gemmTile(576, 40, 64)).toMatchObject({ depth: 8 });
  });

  test.for([
    [100_000, 64, 64],
    [576, 256, 256],
    [96, 40, 640],
    [7, 3, 20],
  ] as const)('a tuner picks among tested tiles: %s', ([rows, cin, cout]) => {
    const gpu = { isSoftware: false, quads: false };
    const variants = [
      ...linearVariants(gpu, rows, cin, cout),
      ...conv3dVariants(gpu, [1, 3, 3], [1, 1, 1, rows, cout], cin),
    ];
    const tiles = variants.flatMap((variant) => (variant.kind === 'tiled' && !variant.slices ? [variant.tile] : []));
    expect(tiles).toHaveLength(6);
    expect(tiles[0]).toEqual(gemmTile(rows, cin, cout));
    for (const tile of tiles) expect(gemmTiles).toContainEqual(tile);
  });

  test('a deep product of few outputs can be split over workgroups, others not', () => {
    const gpu = { isSoftware: false, quads: false };
    const slices = (shape: readonly number[], cin: number) =>
      conv3dVariants(gpu, [1, 3, 3], shape, cin).flatMap((variant) =>
        variant.kind === 'tiled' && variant.slices ? [variant.slices] : [],
      );
    expect(slices([1, 2, 3, 4, 640], 640)).toEqual([5]); // 20 workgroups, 360 steps
    expect(slices([1, 2, 3, 4, 32], 16)).toEqual([2]); // 1 workgroup, 9 steps
    expect(slices([1, 36, 32, 32, 64], 64)).toEqual([]);
  });

  test('a grid covers every row within the limits', () => {
    const tile = gemmTile(2 ** 27, 64, 64);
    const [x, y, z] = gemmGrid(tile, 2 ** 27, 64);
    expect(x).toBe(1);
    expect(Math.max(y, z)).toBeLessThanOrEqual(65535);
    expect(y * z * tile.rows).toBeGreaterThanOrEqual(2 ** 27);
  });
});
