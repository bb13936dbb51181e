// conv3d, every variant, against the f64 reference over odd sizes. Not its speed.
import { test } from 'vitest';
import { type Conv3dVariant, conv3dVariants } from '../../src/ops/conv3d';
import { convOutputShape } from '../reference/conv3d';
import { gemmTiles, smallTile } from './grids/gemm';
import { type Conv3dCase, checkConv3d } from './products';

const wrapTime = [true, false, false] as const;
const cases: readonly Conv3dCase[] = [
  { input: [1, 1, 1, 1, 1], cout: 1, kernel: [1, 1, 1] },
  { input: [2, 3, 5, 7, 4], cout: 8, kernel: [1, 3, 3], padding: [0, 1, 1], bias: true },
  { input: [1, 2, 16, 16, 12], cout: 12, kernel: [1, 3, 3], padding: [0, 1, 1], bias: true, residual: true },
  { input: [2, 1, 9, 11, 40], cout: 20, kernel: [1, 3, 3], padding: [0, 1, 1], bias: true, activation: 'silu' },
  { input: [1, 2, 9, 8, 16], cout: 36, kernel: [1, 3, 3], padding: [0, 1, 1], stride: [1, 2, 2], bias: true },
  {
    input: [1, 2, 6, 5, 3],
    cout: 5,
    kernel: [1, 3, 3],
    padding: [0, 1, 1],
    bias: true,
    residual: true,
    activation: 'silu',
  },
  { input: [1, 1, 6, 5, 4], cout: 1, kernel: [1, 3, 3], padding: [0, 1, 1], bias: true },
  { input: [1, 3, 8, 6, 5], cout: 12, kernel: [1, 4, 4], padding: [0, 1, 1], stride: [1, 2, 2] },
  {
    input: [2, 9, 3, 5, 8],
    cout: 12,
    kernel: [3, 1, 1],
    padding: [1, 0, 0],
    circular: wrapTime,
    residual: true,
    bias: true,
  },
  { input: [1, 1, 2, 3, 8], cout: 8, kernel: [3, 1, 1], padding: [1, 0, 0], circular: wrapTime },
  { input: [1, 7, 2, 3, 5], cout: 3, kernel: [3, 1, 1], padding: [1, 0, 0] },
  { input: [1, 5, 2, 2, 4], cout: 4, kernel: [4, 1, 1], padding: [1, 0, 0], stride: [2, 1, 1], circular: wrapTime },
  { input: [2, 5, 4, 3, 12], cout: 12, kernel: [3, 3, 3], padding: [1, 1, 1], circular: wrapTime, bias: true },
  { input: [1, 3, 5, 4, 4], cout: 8, kernel: [3, 3, 3], padding: [1, 1, 1], circular: [true, true, true] },
  { input: [1, 3, 5, 4, 4], cout: 8, kernel: [3, 3, 3], padding: [1, 1, 1], stride: [2, 2, 2] },
  { input: [1, 2, 3, 3, 4], cout: 4, kernel: [1, 3, 3], padding: [0, 4, 5], circular: [false, true, true] },
  { input: [1, 2, 3, 3, 4], cout: 4, kernel: [1, 1, 3], padding: [0, 0, 4], bias: true },
  { input: [2, 3, 3, 5, 8], cout: 52, kernel: [3, 3, 3], padding: [1, 1, 1], residual: true },
  { input: [1, 3, 7, 5, 24], cout: 48, kernel: [1, 1, 1], bias: true, residual: true },
  { input: [1, 3, 7, 5, 8], cout: 6, kernel: [1, 1, 1], stride: [1, 2, 2] },
];

const alone = { unroll: 1, shared: false } as const;
const inQuads = { unroll: 4, shared: true } as const;
const variants: readonly (Conv3dVariant | undefined)[] = [
  undefined,
  { kind: 'direct', axis: 'width', strip: 3, lines: 1, columns: 2, unroll: 2, shared: false },
  { kind: 'direct', axis: 'time', strip: 2, lines: 2, columns: 2, ...alone },
  { kind: 'direct', axis: 'width', strip: 5, lines: 3, columns: 1, ...inQuads },
  { kind: 'direct', axis: 'time', strip: 3, lines: 1, columns: 2, ...inQuads },
  { kind: 'direct', axis: 'width', strip: 2, lines: 2, columns: 1, unroll: 8, shared: true },
  { kind: 'tiled', tile: smallTile },
  { kind: 'tiled', tile: smallTile, slices: 3 },
];

const name = (value: object | undefined): string =>
  value ? JSON.stringify(value).replace(/["{}]/g, '') : 'chosen by shape';

const fits = ({ input, padding, circular }: Conv3dCase, variant: Conv3dVariant | undefined) =>
  variant?.kind === 'tiled'
    ? ![0, 1, 2].some((i) => circular?.[i] && (padding?.[i] ?? 0) > input[i + 1]!)
    : input[4] % (variant?.unroll ?? 1) === 0;
const runs = cases.flatMap((shape) =>
  variants.filter((variant) => fits(shape, variant)).map((variant) => ({ shape, variant })),
);
// The tiles that GPUs use are slow to compile in software: one shape each, with every kind of edge.
const edges: Conv3dCase = {
  input: [2, 3, 5, 7, 20],
  cout: 68,
  kernel: [3, 3, 3],
  padding: [1, 1, 1],
  circular: wrapTime,
  bias: true,
};
const gpuRuns = gemmTiles.slice(-3).map((tile) => ({ shape: edges, variant: { kind: 'tiled', tile } as const }));
// What a tuner picks from: all of it for a software adapter, and what is not tiled for a GPU (the tiles are above).
const tuned: readonly Conv3dCase[] = [
  { input: [1, 2, 5, 9, 64], cout: 64, kernel: [1, 3, 3], padding: [0, 1, 1], bias: true, residual: true },
  { input: [2, 7, 1, 3, 32], cout: 64, kernel: [3, 1, 1], padding: [1, 0, 0], circular: wrapTime, bias: true },
  { input: [1, 2, 3, 4, 240], cout: 240, kernel: [1, 3, 3], padding: [0, 1, 1] },
];
const tunedRuns = tuned.flatMap((shape) =>
  [true, false].flatMap((isSoftware) => {
    const stride = [1, 1, 1] as const;
    const out = convOutputShape({ padding: [0, 0, 0], circular: [false, false, false], stride, ...shape });
    return conv3dVariants({ isSoftware, quads: isSoftware }, shape.kernel, out, shape.input[4])
      .filter(({ kind }) => kind === 'direct')
      .map((variant) => ({ shape, variant }));
  }),
);
const all = [...runs, ...gpuRuns, ...tunedRuns].map(
  (run) => [`${name(run.shape)} | ${name(run.variant)}`, run] as const,
);

test.for(all)('%s', ([, { shape, variant }]) => checkConv3d(shape, variant));
