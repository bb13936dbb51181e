// linear, every variant, against the f64 reference over odd sizes. Not its speed.
import { test } from 'vitest';
import { type LinearVariant, linearVariants } from '../../src/ops/linear';
import { gemmTiles, smallTile } from './grids/gemm';
import { checkLinear, type LinearCase } from './products';

const cases: readonly LinearCase[] = [
  { lead: [1], cin: 1, cout: 1 },
  { lead: [1], cin: 256, cout: 64, bias: true, activation: 'silu' },
  { lead: [2], cin: 40, cout: 12, bias: true },
  { lead: [4], cin: 6, cout: 70, bias: true, residual: true },
  { lead: [24], cin: 48, cout: 96, bias: true, activation: 'gelu' },
  { lead: [2, 3, 5], cin: 16, cout: 36, bias: true, residual: true },
  { lead: [1, 9, 8, 8], cin: 32, cout: 68, bias: true, residual: true, activation: 'gelu' },
  { lead: [7], cin: 5, cout: 3, bias: true, residual: true, activation: 'silu' },
  { lead: [67], cin: 12, cout: 130, bias: true },
  { lead: [129], cin: 30, cout: 66, residual: true, activation: 'gelu' },
];

const variants: readonly (LinearVariant | undefined)[] = [
  undefined,
  { kind: 'direct', rows: 1, columns: 1, unroll: 1, shared: false },
  { kind: 'direct', rows: 5, columns: 2, unroll: 2, shared: false },
  { kind: 'direct', rows: 3, columns: 2, unroll: 4, shared: true },
  { kind: 'direct', rows: 4, columns: 1, unroll: 8, shared: true },
  { kind: 'split' },
  { kind: 'tiled', tile: smallTile },
  { kind: 'tiled', tile: smallTile, slices: 3 },
];

const name = (value: object | undefined): string =>
  value ? JSON.stringify(value).replace(/["{}]/g, '') : 'chosen by shape';

const fits = ({ lead, cin }: LinearCase, variant: LinearVariant | undefined): boolean => {
  if (variant?.kind === 'direct') return cin % variant.unroll === 0;
  return variant?.kind !== 'split' || lead.reduce((a, b) => a * b, 1) <= 4;
};
const runs = cases.flatMap((shape) =>
  variants.filter((variant) => fits(shape, variant)).map((variant) => ({ shape, variant })),
);
// The tiles that GPUs use are slow to compile in software: one shape each, with every kind of edge.
const edges: LinearCase = { lead: [3, 49], cin: 36, cout: 72, bias: true, residual: true };
const gpuRuns = gemmTiles.slice(-3).map((tile) => ({ shape: edges, variant: { kind: 'tiled', tile } as const }));
// What a tuner picks from in software; for a GPU these are the tiles and the split kernel above.
const tuned: LinearCase = { lead: [43], cin: 24, cout: 80, bias: true, residual: true, activation: 'gelu' };
const tunedRuns = linearVariants({ isSoftware: true, quads: true }, 43, tuned.cin, tuned.cout).map((variant) => ({
  shape: tuned,
  variant,
}));
const all = [...runs, ...gpuRuns, ...tunedRuns].map(
  (run) => [`${name(run.shape)} | ${name(run.variant)}`, run] as const,
);

test.for(all)('%s', ([, { shape, variant }]) => checkLinear(shape, variant));
