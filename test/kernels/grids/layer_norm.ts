// Grid cases of layer norm, for the compile and numeric tests. Not a reference.
import { layerNorm } from '../../../shaders/layer_norm.wgsl';
import { grid, type ShaderFamily } from '../grid';
import { flags, widths } from './norm';

export const family: ShaderFamily = {
  grids: [
    grid(
      layerNorm,
      { width: widths, weight: flags, bias: flags, scaleShift: flags, lanes: [1, 16], rows: [4, 64] },
      (options) => options.lanes * options.rows === 64,
    ),
  ],
};
