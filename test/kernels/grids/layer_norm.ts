// Every option of layer norm, for the compile test. Results are norm.test.ts's.
import { layerNorm } from '../../../shaders/layer_norm.wgsl';
import { grid, type ShaderFamily } from '../grid';
import { flags, widths } from './norm';

export const family: ShaderFamily = {
  grids: [
    grid(
      layerNorm,
      {
        width: widths,
        weight: flags,
        bias: flags,
        scaleShift: flags,
        lanes: [1, 4, 16],
        rows: [4, 16, 64],
        subgroups: flags,
      },
      ({ lanes, rows, subgroups }) => lanes * rows === 64 && (lanes > 1 || !subgroups),
    ),
  ],
};
