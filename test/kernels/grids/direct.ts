// The parts of the step that the direct conv and linear shaders share: their grids compile them. It has no cases of its own.
import { directInterface, directLabel, directStep, directStore, directSums } from '../../../shaders/direct.wgsl';
import type { ShaderFamily } from '../grid';

/** Parts: conv3d_direct and matmul compile them. */
export const family: ShaderFamily = {
  grids: [],
  parts: [directInterface, directLabel, directStep, directStore, directSums],
};
