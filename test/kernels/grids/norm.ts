import {
  groupNorm,
  groupNormApply,
  groupNormCoefficients,
  groupNormPartials,
  layerNorm,
} from '../../../shaders/norm.wgsl';
import { grid, type ShaderFamily } from '../grid';

const flags = [true, false];
const width = [1, 4] as const;

export const family: ShaderFamily = {
  grids: [
    grid(groupNormPartials, { width }),
    grid(groupNormCoefficients, { scaleShift: flags, threads: [1, 64] }),
    grid(groupNormApply, { width, silu: flags }),
    grid(groupNorm, { width, groupVectors: [1, 3, 8], silu: flags, scaleShift: flags }),
    grid(
      layerNorm,
      { width, weight: flags, bias: flags, scaleShift: flags, lanes: [1, 16], rows: [4, 64] },
      (options) => options.lanes * options.rows === 64,
    ),
  ],
};
