import { type Conv3dTiledOptions, conv3dTiled } from '../../../shaders/conv3d.wgsl';
import { each, type ShaderFamily } from '../grid';
import { shapes } from './conv3d_direct';
import { epilogues } from './epilogue';
import { gemmTiles } from './gemm';

// Every epilogue on one shape, every tile on another, and every shape with and without whole vec4s.
const options: Conv3dTiledOptions[] = [
  ...epilogues.map((epilogue) => ({ ...shapes[0]!, ...epilogue, tile: gemmTiles[1]!, inputAligned: true })),
  ...gemmTiles.map((tile) => ({ ...shapes[3]!, ...epilogues[0]!, tile, inputAligned: true })),
  ...shapes.flatMap((shape) =>
    [true, false].map((inputAligned) => ({ ...shape, ...epilogues[0]!, tile: gemmTiles[2]!, inputAligned })),
  ),
];

export const family: ShaderFamily = {
  grids: [
    each(
      conv3dTiled,
      options.map((option) => [option] as const),
    ),
  ],
};
