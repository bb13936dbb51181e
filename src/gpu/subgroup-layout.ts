// How this device numbers the threads of its subgroups. Our kernels take for granted that consecutive threads of a workgroup
// along x share a subgroup, in order. Every driver known numbers them so, but WGSL leaves it open, and any other layout would make
// a wrong clip without an error: one run tells. It switches nothing off; open.ts does.
import type { Gpu } from './device';
import type { Kernel } from './kernel';
import { Plan } from './plan';
import { view } from './tensor';

/** What one thread finds: its `subgroup_invocation_id`, and the local index of the first thread of its subgroup. */
export type SubgroupThread = readonly [id: number, first: number];

/** Threads of the workgroups that are looked at, as many as our kernels have; every device allows them. */
const workgroupSizes = [64, 128, 256] as const;

/** How many consecutive threads the kernels may take as one, at most. */
export function leastSubgroupSize({ subgroupMinSize }: GPUAdapterInfo): number {
  // Four is the least that WebGPU allows; browsers of before the number was told have none.
  return subgroupMinSize ?? 4;
}

/** Whether each `lanes` consecutive threads of a workgroup, counted from its first, have consecutive ids in one subgroup. */
export function isConsecutive(threads: readonly SubgroupThread[], lanes: number): boolean {
  return threads.every(([id, first], i) => {
    const [start, firstOfStart] = threads[i - (i % lanes)]!;
    return first === firstOfStart && id === start + (i % lanes) && start % lanes === 0;
  });
}

/** Whether that holds on this device, which has subgroups. A device that cannot tell counts as one where it does not. */
export async function hasConsecutiveSubgroups(gpu: Gpu): Promise<boolean> {
  const lanes = leastSubgroupSize(gpu.adapterInfo);
  try {
    const workgroups = await subgroupsOf(gpu);
    return workgroups.every((threads) => isConsecutive(threads, Math.min(lanes, threads.length)));
  } catch {
    gpu.clearFailure(); // Without subgroups the device may be fine: what was refused here must not stop it.
    return false; // A compiler that refuses these lines refuses the kernels, too.
  }
}

/** The threads of one workgroup of each size, by local index. */
async function subgroupsOf(gpu: Gpu): Promise<SubgroupThread[][]> {
  const plan = new Plan(gpu, 'subgroup layout');
  // Each workgroup writes from its own size on: 64, 128 and 256 lie one behind the other.
  const all = plan.input([2 * Math.max(...workgroupSizes), 2], 'u32');
  for (const size of workgroupSizes) plan.call(look(size), [view(all, [size, 2], 2 * size)], [1, 1, 1]);
  const program = await plan.compile();
  try {
    gpu.submit(plan.label, (encoder) => program.run(encoder));
    const found = await program.read(all);
    return workgroupSizes.map((size) =>
      Array.from({ length: size }, (_, local) => [found[2 * (size + local)]!, found[2 * (size + local) + 1]!]),
    );
  } finally {
    program.dispose();
  }
}

function look(size: number): Kernel {
  return {
    label: `subgroup layout of ${size}`,
    access: ['write'],
    params: [],
    code: `enable subgroups;
@group(0) @binding(0) var<storage, read_write> threads: array<vec2u>;

@compute @workgroup_size(${size})
fn main(@builtin(local_invocation_index) local: u32, @builtin(subgroup_invocation_id) id: u32) {
  threads[local] = vec2u(id, subgroupBroadcastFirst(local));
}
`,
  };
}
