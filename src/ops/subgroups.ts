// What kernels may take for granted of an adapter's subgroups. Not which kernels use them.
import type { Plan } from '../gpu/plan';
import { leastSubgroupSize } from '../gpu/subgroup-layout';

/** How many consecutive threads of a workgroup along x surely share a subgroup; 0 where the device has no such subgroups. */
export function subgroupLanes({ gpu }: Plan): number {
  return gpu?.features.subgroups ? leastSubgroupSize(gpu.adapterInfo) : 0;
}
