// Every option of the one-dispatch group norm, for the compile test. Results are norm.test.ts's.
import { groupNorm } from '../../../shaders/group_norm.wgsl';
import { grid, type ShaderFamily } from '../grid';
import { flags, widths } from './norm';

export const family: ShaderFamily = {
  grids: [grid(groupNorm, { width: widths, groupVectors: [1, 3, 8], silu: flags, scaleShift: flags })],
};
