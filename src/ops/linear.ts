// Linear layers over the last axis: checks shapes, chooses the kernel, records it. Not the WGSL.
import { directThreads } from '../../shaders/direct.wgsl';
import { linearDirect, linearSplit, linearSplitQuads, linearTiled } from '../../shaders/matmul.wgsl';
import { linearGrid } from '../gpu/kernel';
import type { Plan } from '../gpu/plan';
import { sizeOf, type Tensor } from '../gpu/tensor';
import { expectTensor, formatTensor } from './check';
import { checkDirectTile, type DirectVariant, type ProductOptions, prepareProduct, type TiledVariant } from './product';
import { type Adapter, adapterOf, channelGroups, directTile, evenPieces, gemmGrid, gemmTile } from './tiles';

/** `weight` is [Cin, Cout]. */
export type LinearOptions = ProductOptions;

/** Rows that one thread of the split kernel holds; more are worth a tile. */
const mostSplitRows = 4;

/** How one linear layer is computed. `rows` of the direct one are those of one thread. */
export type LinearVariant = (DirectVariant & { readonly rows: number }) | TiledVariant | { readonly kind: 'split' };

/**
 * y = activation(x·W + bias) + residual over the last axis: x f32 [..., Cin] -> [..., Cout]. gelu is the exact one (erf).
 * @param variant for tests and tuning; chosen by shape and adapter otherwise
 * @throws TypeError where a shape does not fit
 */
export function linear(plan: Plan, x: Tensor, options: LinearOptions, variant?: LinearVariant): Tensor {
  const { weight } = options;
  const cin = x.shape.at(-1) ?? 0;
  if (x.dtype !== 'f32' || cin === 0) throw new TypeError(`linear: x is ${formatTensor(x)}, expected [..., Cin] f32`);
  expectTensor('linear', 'weight', weight, [cin, -1], 'f16', `x is ${formatTensor(x)}`);
  const cout = weight.shape[1]!;
  const shape = [...x.shape.slice(0, -1), cout];
  const rows = sizeOf(x.shape) / cin;
  const chosen = variant ?? chooseLinear(adapterOf(plan), rows, cin, cout);
  const { epilogue, out, args } = prepareProduct(plan, 'linear', x, options, shape);
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
  checkDirectTile(plan, 'linear', chosen, cin);
  const { kind: _, ...tile } = chosen;
  const groups = channelGroups(cout, tile);
  const grid = linearGrid(Math.ceil(rows / tile.rows) * groups, directThreads);
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
