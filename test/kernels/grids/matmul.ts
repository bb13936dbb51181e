// Every option of the linear layers, for the compile test; all tiles of the GPUs with a few epilogues only. Results are
// matmul.test.ts's.
import { type LinearDirectOptions, linearDirect, linearSplit, linearTiled } from '../../../shaders/matmul.wgsl';
import { each, type ShaderFamily } from '../grid';
import { epilogues } from './epilogue';
import { gemmTiles, smallTile } from './gemm';

const directTiles: readonly Pick<LinearDirectOptions, 'rows' | 'columns' | 'unroll' | 'shared'>[] = [
  { rows: 8, columns: 2, unroll: 1, shared: false },
  { rows: 3, columns: 1, unroll: 4, shared: false },
  { rows: 16, columns: 2, unroll: 4, shared: true },
];

const direct = [
  ...directTiles.map((tile) => ({ ...epilogues[0]!, ...tile })),
  ...epilogues.map((epilogue) => ({ ...epilogue, ...directTiles[1]! })),
];
const tiled = [
  ...gemmTiles.flatMap((tile) =>
    [true, false].map((inputAligned) => ({ ...epilogues[0]!, tile, slices: 1, inputAligned })),
  ),
  ...epilogues.map((epilogue) => ({ ...epilogue, tile: smallTile, slices: 3, inputAligned: true })),
];

export const family: ShaderFamily = {
  grids: [
    each(
      linearDirect,
      direct.map((option) => [option] as const),
    ),
    each(
      linearSplit,
      [4, 1].flatMap((rows) =>
        epilogues.slice(rows === 4 ? -1 : 0).map((epilogue) => [{ ...epilogue, rows }] as const),
      ),
    ),
    each(
      linearTiled,
      tiled.map((option) => [option] as const),
    ),
  ],
};
