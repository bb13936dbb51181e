// What kernels may take for granted of an adapter's subgroups. Not which kernels use them.
import type { Plan } from '../gpu/plan';

/**
 * How many consecutive threads of a workgroup along x surely share a subgroup; 0 where the device has no subgroups. That they
 * are consecutive is how every driver numbers them, though WGSL leaves it open.
 */
export function subgroupLanes({ gpu }: Plan): number {
  if (!gpu?.features.subgroups) return 0;
  // Four is the least that WebGPU allows; browsers of before the number was told have none.
  return gpu.adapterInfo.subgroupMinSize ?? 4;
}
