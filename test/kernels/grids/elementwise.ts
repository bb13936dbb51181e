// Every option of the elementwise kernels, for the compile test. Results are elementwise.test.ts's.
import { affine, concat, elementwise, velocity } from '../../../shaders/elementwise.wgsl';
import { each, grid, type ShaderFamily } from '../grid';

export const family: ShaderFamily = {
  grids: [
    each(elementwise, [['add'], ['silu']]),
    grid(affine, { aligned: [true, false] }),
    each(velocity, [[]]),
    grid(concat, { inputs: [1, 2, 3, 4, 5, 6, 7], aligned: [true, false] }),
  ],
};
