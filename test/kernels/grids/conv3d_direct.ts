// Every option of the direct convolution, and the shapes of kernels that conv3d.ts shares, for the compile test. Results are
// conv3d.test.ts's.
import { type Conv3dDirectOptions, conv3dDirect } from '../../../shaders/conv3d_direct.wgsl';
import { each, type ShaderFamily } from '../grid';
import { epilogues } from './epilogue';

/** The convolutions of the models, and odd ones. */
export const shapes: readonly Pick<Conv3dDirectOptions, 'kernel' | 'stride' | 'padding' | 'circular'>[] = [
  { kernel: [1, 3, 3], stride: [1, 1, 1], padding: [0, 1, 1], circular: [false, false, false] },
  { kernel: [1, 3, 3], stride: [1, 2, 2], padding: [0, 1, 1], circular: [false, false, false] },
  { kernel: [3, 1, 1], stride: [1, 1, 1], padding: [1, 0, 0], circular: [true, false, false] },
  { kernel: [3, 3, 3], stride: [1, 1, 1], padding: [1, 1, 1], circular: [true, false, false] },
  { kernel: [3, 3, 3], stride: [2, 1, 2], padding: [1, 0, 2], circular: [false, true, true] },
  { kernel: [1, 1, 1], stride: [1, 1, 1], padding: [0, 0, 0], circular: [false, false, false] },
];

const tiles: readonly Pick<
  Conv3dDirectOptions,
  'axis' | 'strip' | 'whole' | 'lines' | 'columns' | 'unroll' | 'shared'
>[] = [
  { axis: 'width', strip: 8, whole: false, lines: 1, columns: 2, unroll: 1, shared: false },
  { axis: 'time', strip: 4, whole: false, lines: 2, columns: 1, unroll: 2, shared: false },
  { axis: 'width', strip: 4, whole: true, lines: 3, columns: 1, unroll: 4, shared: true },
  { axis: 'time', strip: 9, whole: true, lines: 1, columns: 1, unroll: 4, shared: true },
];

// Every epilogue on one shape, and every shape and tile with two of them.
const options = [
  ...epilogues.map((epilogue) => ({ ...shapes[0]!, ...tiles[0]!, ...epilogue })),
  ...shapes.flatMap((shape) =>
    tiles.flatMap((tile) => [epilogues[0]!, epilogues.at(-1)!].map((epilogue) => ({ ...shape, ...tile, ...epilogue }))),
  ),
];

export const family: ShaderFamily = {
  grids: [
    each(
      conv3dDirect,
      options.map((option) => [option] as const),
    ),
  ],
};
