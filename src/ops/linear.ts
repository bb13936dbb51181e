// Linear layers over the last axis: checks shapes, chooses the kernel, records it. Not the WGSL.
import type { EpilogueOptions } from '../../shaders/epilogue.wgsl';
import { linearDirect, linearSplit, linearSplitQuads, linearTiled } from '../../shaders/matmul.wgsl';
import { workgroupSize } from '../../shaders/wgsl';
import { linearGrid } from '../gpu/kernel';
import type { Plan } from '../gpu/plan';
import { sizeOf, type Tensor } from '../gpu/tensor';
import { expectTensor, formatTensor } from './check';
import {
  callTiled,
  checkDirectTile,
  type DirectVariant,
  freshProduct,
  type ProductOptions,
  prepareProduct,
  productKey,
  type TiledVariant,
  tiledVariants,
} from './product';
import { type Adapter, adapterOf, channelGroups, choose, directTile, evenPieces } from './tiles';

/** `weight` is [Cin, Cout]. */
export type LinearOptions = ProductOptions;

/** Rows that one thread of the split kernel holds; more are worth a tile. Assumed. */
const mostSplitRows = 4;

/** Rows that one thread makes in software. Measured: more gain nothing (docs/PERFORMANCE.md). */
const mostDirectRows = 24;

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
  const cost = { flops: 2 * rows * cin * cout };
  const chosen =
    variant ??
    choose(
      plan,
      `linear ${cin}→${cout} of ${rows} ${productKey(options)}`,
      linearVariants(adapterOf(plan), rows, cin, cout),
      {
        ...cost,
        record: (other, tried) => linear(other, other.input(x.shape), freshProduct(other, options), tried),
      },
    );
  const { epilogue, out, args } = prepareProduct(plan, 'linear', x, options, shape);
  if (chosen.kind === 'tiled') {
    const { tile } = chosen;
    const make = (tail: EpilogueOptions, slices: number) =>
      linearTiled({ ...tail, tile, slices, inputAligned: cin % 4 === 0 });
    callTiled(plan, chosen, { epilogue, args }, make, { rows, cin, cout }, cost);
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
  const grid = linearGrid(Math.ceil(rows / tile.rows) * groups, workgroupSize);
  plan.call(linearDirect({ ...epilogue, ...tile }), args, grid, { rows, cin, cout, groups }, cost);
  return out;
}

/** What may be fast for M rows, Cin and Cout on this adapter; the first is the default. */
export function linearVariants(adapter: Adapter, rows: number, cin: number, cout: number): LinearVariant[] {
  if (!adapter.isSoftware) {
    const tiled = tiledVariants(rows, cin, cout, 1);
    return rows > mostSplitRows ? tiled : [{ kind: 'split' }, ...tiled];
  }
  const tile = directTile(adapter, cin, cout, 2);
  const first: LinearVariant = { kind: 'direct', rows: evenPieces(rows, mostDirectRows), ...tile };
  if (!tile.shared || cin % 8 !== 0) return [first];
  const longer = { ...first, unroll: 8 };
  return [first, longer, { ...longer, columns: 1 }].filter(
    (variant, i, all) => all.findIndex((other) => JSON.stringify(other) === JSON.stringify(variant)) === i,
  );
}
