import { type LinearDirectOptions, linearDirect, linearSplit, linearTiled } from '../../../shaders/matmul.wgsl';
import { each, type ShaderFamily } from '../grid';
import { epilogues } from './epilogue';
import { gemmTiles } from './gemm';

const directTiles: readonly Pick<LinearDirectOptions, 'rows' | 'columns' | 'unroll' | 'shared'>[] = [
  { rows: 8, columns: 2, unroll: 1, shared: false },
  { rows: 3, columns: 1, unroll: 4, shared: false },
  { rows: 16, columns: 2, unroll: 4, shared: true },
];

const direct = epilogues.flatMap((epilogue) => directTiles.map((tile) => ({ ...epilogue, ...tile })));
const tiled = [
  ...epilogues.map((epilogue) => ({ ...epilogue, tile: gemmTiles[1]!, inputAligned: true })),
  ...gemmTiles.flatMap((tile) => [true, false].map((inputAligned) => ({ ...epilogues[0]!, tile, inputAligned }))),
];

export const family: ShaderFamily = {
  grids: [
    each(
      linearDirect,
      direct.map((option) => [option] as const),
    ),
    each(
      linearSplit,
      epilogues.flatMap((epilogue) => [1, 4].map((rows) => [{ ...epilogue, rows }] as const)),
    ),
    each(
      linearTiled,
      tiled.map((option) => [option] as const),
    ),
  ],
};
