// What the grids of the group and layer norms share, and the parts that they compile. It has no cases of its own.
import { componentSum, vector, workgroupSum } from '../../../shaders/norm.wgsl';
import type { ShaderFamily } from '../grid';

export const flags = [true, false];
export const widths = [1, 4] as const;

/** Parts: the group and layer norms compile them. */
export const family: ShaderFamily = {
  grids: [],
  parts: [componentSum, vector, workgroupSum],
};
