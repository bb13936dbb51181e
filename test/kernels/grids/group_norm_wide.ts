// Grid cases of the two-stage group norm, for the compile and numeric tests. Not a reference.
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
