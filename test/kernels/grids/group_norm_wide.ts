// Every option of the three-dispatch group norm, for the compile test. Results are norm.test.ts's.
import { groupNormApply, groupNormCoefficients, groupNormPartials } from '../../../shaders/group_norm_wide.wgsl';
import { grid, type ShaderFamily } from '../grid';
import { flags, widths } from './norm';

export const family: ShaderFamily = {
  grids: [
    grid(groupNormPartials, { width: widths }),
    grid(groupNormCoefficients, { scaleShift: flags, threads: [1, 64] }),
    grid(groupNormApply, { width: widths, silu: flags }),
  ],
};
