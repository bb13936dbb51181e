// The workgroup tiles of products, for the grids of conv3d and matmul, which compile them. It has no cases of its own.
import { type GemmTile, gemmMain, gemmTileLabel } from '../../../shaders/gemm.wgsl';
import type { ShaderFamily } from '../grid';

/** The tiles that src/ops/tiles.ts chooses from. */
export const gemmTiles: readonly GemmTile[] = [8, 16].flatMap((depth) => [
  { rows: 128, columns: 64, depth, threadRows: 8, threadColumns: 8 },
  { rows: 64, columns: 64, depth, threadRows: 8, threadColumns: 4 },
  { rows: 32, columns: 32, depth, threadRows: 4, threadColumns: 4 },
]);

/** Small enough to compile quickly in software; the same text otherwise. */
export const smallTile: GemmTile = { rows: 16, columns: 16, depth: 8, threadRows: 4, threadColumns: 4 };

/** Parts: conv3d and matmul compile them. */
export const family: ShaderFamily = { grids: [], parts: [gemmMain, gemmTileLabel] };
