// What convolutions and linear layers share: their weights and epilogue, checked, and their choice among kernels.
// Not their shapes, and not the WGSL.
import type { DirectTile } from '../../shaders/direct.wgsl';
import type { Activation, EpilogueOptions } from '../../shaders/epilogue.wgsl';
import type { GemmTile } from '../../shaders/gemm.wgsl';
import { sumSlices } from '../../shaders/split.wgsl';
import { type Shader, workgroupSize } from '../../shaders/wgsl';
import { linearGrid } from '../gpu/kernel';
import type { Plan } from '../gpu/plan';
import type { Tensor } from '../gpu/tensor';
import { expectTensor } from './check';
import { enoughWorkgroups, gemmGrid, gemmTileVariants } from './tiles';

/** y = activation(product + bias) + residual. */
export interface ProductOptions {
  /** f16; its last axes are Cin and Cout. */
  readonly weight: Tensor;
  /** f32 [Cout]. */
  readonly bias?: Tensor | undefined;
  readonly activation?: Exclude<Activation, 'none'> | undefined;
  /** f32 in the output's shape, added last. */
  readonly residual?: Tensor | undefined;
}

/** Through workgroup memory: for GPUs. */
export interface TiledVariant {
  readonly kind: 'tiled';
  readonly tile: GemmTile;
  /** Workgroups that share the depth of a tile (split K), for outputs too small to fill a GPU. Default 1. */
  readonly slices?: number;
}

/** Straight from storage, in registers. */
export interface DirectVariant extends DirectTile {
  readonly kind: 'direct';
}

/** Checks bias and residual; gives the shader's epilogue, the output, and the arguments in the shader's order. */
export function prepareProduct(
  plan: Plan,
  op: string,
  x: Tensor,
  options: ProductOptions,
  shape: readonly number[],
): { epilogue: EpilogueOptions; out: Tensor; args: readonly Tensor[] } {
  const { weight, bias, residual, activation = 'none' } = options;
  const cout = shape.at(-1)!;
  if (bias) expectTensor(op, 'bias', bias, [cout]);
  if (residual) expectTensor(op, 'residual', residual, shape, 'f32', 'it must have the shape of the output');
  const out = plan.alloc(shape);
  return {
    epilogue: {
      bias: bias !== undefined,
      residual: residual !== undefined,
      activation,
      aligned: cout % 4 === 0,
      f16: plan.gpu?.features.f16 ?? false,
    },
    out,
    args: [x, weight, ...(bias ? [bias] : []), ...(residual ? [residual] : []), out],
  };
}

/**
 * What may be fast on a GPU: every tile, and, where the default one leaves it idle, that one with its depth split, at
 * least four steps a slice.
 */
export function tiledVariants(rows: number, cin: number, cout: number, taps: number): TiledVariant[] {
  const tiles = gemmTileVariants(rows, cin, cout);
  const [first] = tiles as [GemmTile];
  const workgroups = gemmGrid(first, rows, cout).reduce((a, b) => a * b);
  const steps = taps * Math.ceil(cin / first.depth);
  const slices = Math.min(16, Math.ceil(enoughWorkgroups / workgroups), Math.floor(steps / 4));
  const all = tiles.map((tile): TiledVariant => ({ kind: 'tiled', tile }));
  return slices > 1 ? [...all, { kind: 'tiled', tile: first, slices }] : all;
}

/** Records a tiled product of `rows` × `cout` outputs: one dispatch, or one for the slices of its depth and one that sums them. */
export function callTiled(
  plan: Plan,
  { tile, slices = 1 }: TiledVariant,
  { epilogue, args }: { epilogue: EpilogueOptions; args: readonly Tensor[] },
  shader: (epilogue: EpilogueOptions, slices: number) => Shader,
  params: Readonly<Record<string, number>> & { readonly rows: number; readonly cout: number },
  cost: { readonly flops: number },
): void {
  const { rows, cout } = params;
  const [across, ...down] = gemmGrid(tile, rows, cout);
  if (slices === 1) {
    plan.call(shader(epilogue, 1), args, [across, ...down], params, cost);
    return;
  }
  const [x, weight, ...rest] = args;
  const partial = plan.alloc([slices, rows, cout]);
  const bare = shader({ ...epilogue, bias: false, residual: false, activation: 'none' }, slices);
  plan.call(bare, [x!, weight!, partial], [across * slices, ...down], params, cost);
  const grid = linearGrid(rows * Math.ceil(cout / 4), workgroupSize);
  plan.call(sumSlices({ ...epilogue, f16: false, slices }), [partial, ...rest], grid, { rows, cout });
}

/** The weights and terms of another plan's product, with buffers of their own: for its time, not its result. */
export function freshProduct(plan: Plan, options: ProductOptions): ProductOptions {
  const fresh = (tensor: Tensor | undefined) => tensor && plan.input(tensor.shape, tensor.dtype);
  return {
    ...options,
    weight: plan.input(options.weight.shape, 'f16'),
    bias: fresh(options.bias),
    residual: fresh(options.residual),
  };
}

/** The part of a problem's key that says which epilogue it is. */
export function productKey({ bias, activation, residual }: ProductOptions): string {
  return [bias && 'bias', activation, residual && 'residual'].filter(Boolean).join(' ');
}

/** @throws TypeError where a direct tile cannot work for these channels or on this adapter */
export function checkDirectTile(plan: Plan, op: string, tile: DirectTile, cin: number): void {
  if (cin % tile.unroll !== 0) {
    throw new TypeError(`${op}: Cin ${cin} is not a multiple of the tile's unroll ${tile.unroll}; choose another tile`);
  }
  if (tile.shared && (plan.gpu?.features.subgroups === false || tile.unroll % 4 !== 0)) {
    throw new TypeError(`${op}: a shared tile needs the feature 'subgroups' and unroll 4 or 8; choose another tile`);
  }
}
