// Every text of the kernel that sums a split product's slices, for the compile test.
import { sumSlices } from '../../../shaders/split.wgsl';
import { grid, type ShaderFamily } from '../grid';

const flags = [true, false];

export const family: ShaderFamily = {
  grids: [
    grid(sumSlices, {
      slices: [2, 16],
      bias: flags,
      residual: flags,
      activation: ['none', 'silu', 'gelu'],
      aligned: flags,
      f16: [false],
    }),
  ],
};
