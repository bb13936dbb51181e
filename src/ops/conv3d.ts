// 3D convolution: checks shapes, chooses the kernel, records it. Not the WGSL.
import { conv3dTiled } from '../../shaders/conv3d.wgsl';
import { type ConvShape, conv3dDirect, type Triple } from '../../shaders/conv3d_direct.wgsl';
import type { EpilogueOptions } from '../../shaders/epilogue.wgsl';
import { workgroupSize } from '../../shaders/wgsl';
import { linearGrid } from '../gpu/kernel';
import type { Plan } from '../gpu/plan';
import { reshape, sizeOf, type Tensor } from '../gpu/tensor';
import { activationShape, expectTensor, formatTensor } from './check';
import { linear } from './linear';
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

/** `weight` is [kt*kh*kw, Cin, Cout]: one matrix per tap, time slowest, width fastest. */
export interface Conv3dOptions extends ProductOptions {
  /** Taps along time, height and width. */
  readonly kernel: Triple<number>;
  /** Default 1. */
  readonly stride?: Triple<number> | undefined;
  /** On both sides of each axis. Default 0. */
  readonly padding?: Triple<number> | undefined;
  /** Axes whose padding wraps around instead of being zero. */
  readonly circular?: Triple<boolean> | undefined;
  readonly activation?: 'silu' | undefined;
}

/** How one convolution is computed. A direct one makes `strip` neighbouring outputs along `axis` of `lines` lines in one thread. */
export type Conv3dVariant =
  | (DirectVariant & { readonly axis: 'time' | 'width'; readonly strip: number; readonly lines: number })
  | TiledVariant;

/**
 * y = activation(conv(x) + bias) + residual (cross-correlation, as in PyTorch): x f32 [B, T, H, W, Cin] ->
 * [B, To, Ho, Wo, Cout] with To = floor((T + 2·padding - kernel) / stride) + 1, likewise Ho and Wo.
 * @param variant for tests and tuning; chosen by shape and adapter otherwise
 * @throws TypeError where a shape does not fit
 */
export function conv3d(plan: Plan, x: Tensor, options: Conv3dOptions, variant?: Conv3dVariant): Tensor {
  const { weight, kernel } = options;
  const { stride = [1, 1, 1], padding = [0, 0, 0], circular = [false, false, false] } = options;
  const [batch, time, height, width, cin] = activationShape('conv3d', 'x', x);
  checkTriple('kernel', kernel, 1);
  checkTriple('stride', stride, 1);
  checkTriple('padding', padding, 0);
  const taps = sizeOf(kernel);
  expectTensor(
    'conv3d',
    'weight',
    weight,
    [taps, cin, -1],
    'f16',
    `kernel [${kernel}] and x ${formatTensor(x)} ask for it`,
  );
  const cout = weight.shape[2]!;
  const size = [time, height, width] as const;
  const extents = size.map((extent, i) => Math.floor((extent + 2 * padding[i]! - kernel[i]!) / stride[i]!) + 1);
  const [outTime, outHeight, outWidth] = extents as [number, number, number];
  if (extents.some((extent) => extent < 1)) {
    throw new TypeError(
      `conv3d: kernel [${kernel}] with padding [${padding}] is larger than x ${formatTensor(x)}; use a smaller kernel or more padding`,
    );
  }
  const shape = [batch, outTime, outHeight, outWidth, cout];
  if (!variant && taps === 1 && stride.every((s) => s === 1) && padding.every((p) => p === 0)) {
    const { bias, activation, residual } = options;
    return linear(plan, x, { weight: reshape(weight, [cin, cout]), bias, activation, residual });
  }
  const wrapsOnce = circular.every((wraps, i) => !wraps || padding[i]! <= size[i]!);
  const cost = { flops: 2 * taps * cin * sizeOf(shape) };
  const asked = `conv3d ${kernel} stride ${stride} padding ${padding} circular ${circular} ${x.shape}→${cout}`;
  const chosen =
    variant ??
    choose(
      plan,
      `${asked} ${productKey(options)}`,
      conv3dVariants(adapterOf(plan), kernel, shape, cin).filter(({ kind }) => kind === 'direct' || wrapsOnce),
      {
        ...cost,
        record: (other, tried) =>
          conv3d(
            other,
            other.input(x.shape),
            { ...options, ...freshProduct(other, options), activation: options.activation },
            tried,
          ),
      },
    );
  const { epilogue, out, args } = prepareProduct(plan, 'conv3d', x, options, shape);
  const shader = { ...epilogue, kernel, stride, padding, circular };
  const sizes = { time, height, width, cin, outTime, outHeight, outWidth, cout };
  if (chosen.kind === 'tiled') {
    if (!wrapsOnce) {
      throw new TypeError(
        `conv3d: circular padding [${padding}] exceeds x ${formatTensor(x)}; the tiled kernel wraps once`,
      );
    }
    const rows = sizeOf(shape) / cout;
    const { tile } = chosen;
    const make = (tail: EpilogueOptions, slices: number) =>
      conv3dTiled({ ...shader, ...tail, tile, slices, inputAligned: cin % 4 === 0 });
    callTiled(plan, chosen, { epilogue, args }, make, { ...sizes, rows }, cost);
    return out;
  }
  callDirect(plan, chosen, shader, args, { batch, sizes }, cost);
  return out;
}

type ConvSizes = Readonly<
  Record<'time' | 'height' | 'width' | 'cin' | 'outTime' | 'outHeight' | 'outWidth' | 'cout', number>
>;

/** Records a direct convolution: one dispatch. */
function callDirect(
  plan: Plan,
  chosen: DirectConv,
  shader: ConvShape & EpilogueOptions,
  args: readonly Tensor[],
  { batch, sizes }: { readonly batch: number; readonly sizes: ConvSizes },
  cost: { readonly flops: number },
): void {
  checkDirectTile(plan, 'conv3d', chosen, sizes.cin);
  const { kind: _, ...tile } = chosen;
  const { axis, strip } = tile;
  const { outTime, outHeight, outWidth, cout } = sizes;
  const [along, extent] = axis === 'time' ? ([0, outTime] as const) : ([2, outWidth] as const);
  const whole = strip === extent && shader.stride[along] === 1 && !shader.circular[along];
  const strips = Math.ceil(extent / strip);
  const lines = batch * outHeight * (axis === 'time' ? outWidth : outTime);
  const groups = channelGroups(cout, tile);
  const threads = Math.ceil(lines / tile.lines) * strips * groups;
  plan.call(
    conv3dDirect({ ...shader, ...tile, whole }),
    args,
    linearGrid(threads, workgroupSize),
    { ...sizes, strips, groups, lines, threads },
    cost,
  );
}

type DirectConv = Extract<Conv3dVariant, { kind: 'direct' }>;

/** Neighbouring outputs that one thread makes at most. Assumed. */
const longestStrip = { software: 16, hardware: 4 } as const;

/** Outputs of one thread in software, and from which weights or FLOPs of a call on it makes the more. Measured (docs/PERFORMANCE.md). */
const directOutputs = { few: 16, many: 32, manyWeights: 5e5, manyFlops: 1e8 } as const;

/**
 * What may be fast for a convolution with this output on this adapter; the first is the default. A circular padding that
 * wraps more than once needs a direct one, which is always there.
 */
export function conv3dVariants(
  adapter: Adapter,
  kernel: Triple<number>,
  shape: readonly number[],
  cin: number,
): Conv3dVariant[] {
  const [batch, time, height, width, cout] = shape as [number, number, number, number, number];
  // A strip reuses inputs along the kernel's axis; a clip of few frames leaves nothing to reuse.
  const axis = kernel[0] > 1 && kernel[2] === 1 && time >= 4 ? 'time' : 'width';
  const strip = evenPieces(axis === 'time' ? time : width, longestStrip[adapter.isSoftware ? 'software' : 'hardware']);
  const wide: DirectConv = { kind: 'direct', axis, strip, lines: 1, ...directTile(adapter, cin, cout, 2) };
  if (!adapter.isSoftware) {
    const tiled = tiledVariants(sizeOf(shape) / cout, cin, cout, sizeOf(kernel));
    return cin >= 8 && cout > 16 ? [...tiled, wide] : [wide, ...tiled];
  }
  const narrow: DirectConv = { ...wide, ...directTile(adapter, cin, cout, 1) };
  if (!narrow.shared) return [wide];
  // Short strips leave weights with little use: several lines share them. Where there are many weights, or a call takes
  // 25 ms, more outputs earn the longer compile (half a second) back: a clip makes the call a hundred times.
  const weights = sizeOf(kernel) * cin * cout;
  const flops = (2 * weights * sizeOf(shape)) / cout;
  const isLarge = weights >= directOutputs.manyWeights || flops >= directOutputs.manyFlops;
  const outputs = directOutputs[isLarge ? 'many' : 'few'];
  const all = batch * height * (axis === 'time' ? width : time);
  const lines = evenPieces(all, Math.max(1, Math.round(outputs / strip)));
  const more = evenPieces(all, 2 * lines);
  return [
    lines * strip > 4 ? { ...narrow, lines } : wide,
    ...(more > lines ? [{ ...narrow, lines: more }] : []),
    ...(cin % 8 === 0 ? [{ ...narrow, lines, unroll: 8 }] : []),
  ];
}

function checkTriple(name: string, value: Triple<number>, least: number): void {
  if (value.length === 3 && value.every((v) => Number.isInteger(v) && v >= least && v <= 64)) return;
  throw new TypeError(
    `conv3d: ${name} is [${value}], expected three whole numbers from ${least} to 64 (time, height, width)`,
  );
}
