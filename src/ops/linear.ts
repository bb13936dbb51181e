// Linear layers over the last axis: checks shapes, chooses the kernel, records it. Not the WGSL.
import type { GemmTile } from '../../shaders/gemm.wgsl';
import {
  linearDirect,
  linearDirectThreads,
  linearSplit,
  linearSplitQuads,
  linearTiled,
} from '../../shaders/matmul.wgsl';
import { linearGrid } from '../gpu/kernel';
import type { Plan } from '../gpu/plan';
import { sizeOf, type Tensor } from '../gpu/tensor';
import { expectTensor, formatTensor } from './check';
import {
  type Adapter,
  adapterOf,
  channelGroups,
  checkDirectTile,
  type DirectTile,
  directTile,
  evenPieces,
  gemmGrid,
  gemmTile,
} from './tiles';

export interface LinearOptions {
  /** f16 [Cin, Cout]. */
  readonly weight: Tensor;
  /** f32 [Cout]. */
  readonly bias?: Tensor | undefined;
  readonly activation?: 'silu' | 'gelu' | undefined;
  /** f32 in the output's shape, added last. */
  readonly residual?: Tensor | undefined;
}

/** Rows that one thread of the split kernel holds; more are worth a tile. */
const mostSplitRows = 4;

/** How one linear layer is computed. `rows` of the direct one are those of one thread. */
export type LinearVariant =
  | ({ readonly kind: 'direct'; readonly rows: number } & DirectTile)
  | { readonly kind: 'tiled'; readonly tile: GemmTile }
  | { readonly kind: 'split' };

/**
 * y = activation(x·W + bias) + residual over the last axis: x f32 [..., Cin] -> [..., Cout]. gelu is the exact one (erf).
 * @param variant for tests and tuning; chosen by shape and adapter otherwise
 * @throws TypeError where a shape does not fit
 */
export function linear(plan: Plan, x: Tensor, options: LinearOptions, variant?: LinearVariant): Tensor {
  const { weight, bias, residual, activation = 'none' } = options;
  const cin = x.shape.at(-1) ?? 0;
  if (x.dtype !== 'f32' || cin === 0) throw new TypeError(`linear: x is ${formatTensor(x)}, expected [..., Cin] f32`);
  expectTensor('linear', 'weight', weight, [cin, -1], 'f16', `x is ${formatTensor(x)}`);
  const cout = weight.shape[1]!;
  if (bias) expectTensor('linear', 'bias', bias, [cout]);
  const shape = [...x.shape.slice(0, -1), cout];
  if (residual) expectTensor('linear', 'residual', residual, shape, 'f32', 'it must have the shape of the output');
  const rows = sizeOf(x.shape) / cin;
  const chosen = variant ?? chooseLinear(adapterOf(plan), rows, cin, cout);
  const out = plan.alloc(shape);
  const epilogue = {
    bias: bias !== undefined,
    residual: residual !== undefined,
    activation,
    aligned: cout % 4 === 0,
    f16: plan.gpu?.features.f16 ?? false,
  } as const;
  const args = [x, weight, ...(bias ? [bias] : []), ...(residual ? [residual] : []), out];
  const cost = { flops: 2 * rows * cin * cout };
  if (chosen.kind === 'tiled') {
    const { tile } = chosen;
    const shader = linearTiled({ ...epilogue, tile, inputAligned: cin % 4 === 0 });
    plan.call(shader, args, gemmGrid(tile, rows, cout), { rows, cin, cout }, cost);
    return out;
  }
  if (chosen.kind === 'split') {
    if (rows > mostSplitRows)
      throw new TypeError(`linear: the split kernel takes ${mostSplitRows} rows, given ${rows}`);
    const grid = linearGrid(cout / 4, linearSplitQuads);
    plan.call(linearSplit({ ...epilogue, rows }), args, grid, { rows, cin, cout }, cost);
    return out;
  }
  checkDirectTile('linear', chosen, cin, plan.gpu?.features.subgroups ?? true);
  const { kind: _, ...tile } = chosen;
  const groups = channelGroups(cout, tile);
  const grid = linearGrid(Math.ceil(rows / tile.rows) * groups, linearDirectThreads);
  plan.call(linearDirect({ ...epilogue, ...tile }), args, grid, { rows, cin, cout, groups }, cost);
  return out;
}

/** The fastest known variant for M rows, Cin and Cout. */
function chooseLinear(adapter: Adapter, rows: number, cin: number, cout: number): LinearVariant {
  if (!adapter.isSoftware)
    return rows > mostSplitRows ? { kind: 'tiled', tile: gemmTile(rows, cin, cout) } : { kind: 'split' };
  const piece = evenPieces(rows, 24);
  return { kind: 'direct', rows: piece, ...directTile(adapter, cin, cout, 2) };
}
