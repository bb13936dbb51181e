// How large a piece of a matrix product one thread makes. Arithmetic on shapes only.
import type { DirectTile } from '../../shaders/direct.wgsl';
import type { GemmTile } from '../../shaders/gemm.wgsl';
import { Choices, type Repeatable } from '../gpu/choices';
import { type Grid, maxGroups } from '../gpu/kernel';
import type { Plan } from '../gpu/plan';

/** What the choice of a kernel depends on besides its shape. */
export interface Adapter {
  /** A CPU behind the API: no workgroup memory, no barriers, large register tiles. */
  readonly isSoftware: boolean;
  /** Quad swaps work and quads are four consecutive threads. */
  readonly quads: boolean;
}

/** A dry run is planned for a GPU. */
export function adapterOf(plan: Plan): Adapter {
  const isSoftware = plan.gpu?.isSoftware ?? false;
  return { isSoftware, quads: isSoftware && (plan.gpu?.features.subgroups ?? false) };
}

/** The remembered variant, or the first; the first in a dry run. */
export function choose<Variant extends object>(
  plan: Plan,
  key: string,
  variants: readonly Variant[],
  call: Repeatable<Variant>,
): Variant {
  return (plan.gpu?.choices ?? new Choices()).pick(key, variants, call);
}

/** Equal pieces of at most `most`, so that the last one is not mostly empty: 36 in pieces of at most 16 gives 12. */
export function evenPieces(extent: number, most: number): number {
  return Math.ceil(extent / Math.ceil(extent / most));
}

/** Threads over the output channels. Quads that share inputs are always whole: threads past the last channel store nothing. */
export function channelGroups(cout: number, { columns, shared }: DirectTile): number {
  const groups = Math.ceil(cout / (4 * columns));
  return shared ? 4 * Math.ceil(groups / 4) : groups;
}

/** Measured on SwiftShader: sharing wins 1.4 to 2 times unless more than a third of the quads' work is thrown away. */
const leastUsed = 0.66;

/**
 * The channels of one thread that makes several neighbouring outputs, `wide` vec4s of them where quads share inputs.
 */
export function directTile(adapter: Adapter, cin: number, cout: number, wide: number): DirectTile {
  // Channels that are not whole vec4s load and store one by one: a wide tile of them is slow to compile.
  const columns = cout % 4 === 0 ? Math.max(1, Math.min(wide, Math.ceil(cout / 16))) : 1;
  const shared: DirectTile = { columns, unroll: 4, shared: true };
  const used = Math.ceil(cout / (4 * columns)) / channelGroups(cout, shared);
  if (adapter.quads && cin % 4 === 0 && used > leastUsed) return shared;
  // In software a longer step only makes the code longer; on a GPU it keeps more loads in flight.
  const unroll = !adapter.isSoftware && cin % 4 === 0 ? 4 : 1;
  return { columns: adapter.isSoftware && cout > 4 && cout % 4 === 0 ? 2 : 1, unroll, shared: false };
}

/** Workgroup tiles from the most arithmetic per load to the most workgroups. */
const gemmTiles = [
  { rows: 128, columns: 64, threadRows: 8, threadColumns: 8 },
  { rows: 64, columns: 64, threadRows: 8, threadColumns: 4 },
  { rows: 32, columns: 32, threadRows: 4, threadColumns: 4 },
] as const;

/** Fewer workgroups than this leave a small GPU idle. Assumed. */
export const enoughWorkgroups = 96;

/** The largest tile that still gives the GPU enough workgroups, in steps that divide Cin where they can. */
export function gemmTile(rows: number, cin: number, cout: number): GemmTile {
  const groups = (tile: (typeof gemmTiles)[number]) => Math.ceil(rows / tile.rows) * Math.ceil(cout / tile.columns);
  const tile = gemmTiles.find((candidate) => groups(candidate) >= enoughWorkgroups) ?? gemmTiles[gemmTiles.length - 1]!;
  return { ...tile, depth: cin % 16 !== 0 && (cin % 8 === 0 || cin < 8) ? 8 : 16 };
}

/** Every workgroup tile for these channels, `gemmTile` first. */
export function gemmTileVariants(rows: number, cin: number, cout: number): GemmTile[] {
  const first = gemmTile(rows, cin, cout);
  return [first, ...gemmTiles.filter((tile) => tile.rows !== first.rows).map((tile) => ({ ...first, ...tile }))];
}

/** Column tiles along x, row tiles along y and, past WebGPU's limit, z. */
export function gemmGrid(tile: GemmTile, rows: number, cout: number): Grid {
  const down = Math.ceil(rows / tile.rows);
  const folds = Math.ceil(down / maxGroups);
  return [Math.ceil(cout / tile.columns), Math.ceil(down / folds), folds];
}
