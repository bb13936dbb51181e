// Every option of the tiled convolution, for the compile test; all tiles of the GPUs with a few epilogues only. Results are
// conv3d.test.ts's.
import { type Conv3dTiledOptions, conv3dTiled } from '../../../shaders/conv3d.wgsl';
import { each, type ShaderFamily } from '../grid';
import { shapes } from './conv3d_direct';
import { epilogues } from './epilogue';
import { gemmTiles, smallTile } from './gemm';

// Every tile on one shape, every shape with and without whole vec4s, and every epilogue. The last ones of a binding
// layout are built into pipelines: the small ones.
const options: Conv3dTiledOptions[] = [
  ...gemmTiles.map((tile) => ({ ...shapes[3]!, ...epilogues[0]!, tile, slices: 1, inputAligned: true })),
  ...shapes.flatMap((shape) =>
    [true, false].map((inputAligned) => ({ ...shape, ...epilogues[0]!, tile: gemmTiles[2]!, slices: 1, inputAligned })),
  ),
  ...epilogues.map((epilogue) => ({ ...shapes[0]!, ...epilogue, tile: smallTile, slices: 3, inputAligned: true })),
];

export const family: ShaderFamily = {
  grids: [
    each(
      conv3dTiled,
      options.map((option) => [option] as const),
    ),
  ],
};
