// The noise of shaders/random.wgsl.ts by itself: a kernel that writes it to a tensor, as nothing on the page does.
import { philoxNormals } from '../../shaders/random.wgsl';
import { linearMain, shaderInterface, wgsl, workgroupSize } from '../../shaders/wgsl';
import { type Kernel, linearGrid } from '../../src/gpu/kernel';
import type { Plan } from '../../src/gpu/plan';
import { sizeOf, type Tensor } from '../../src/gpu/tensor';

/**
 * Standard normals f32 of any shape. key u32 [4] = (seedLow, seedHigh, stream, firstElement): element i of the result is
 * element firstElement + i of the stream.
 */
export function gaussianNoise(plan: Plan, shape: readonly number[], key: Tensor): Tensor {
  const out = plan.alloc(shape);
  record(plan, key, out, 'f32', 'normalsFrom(key[3] + element, key[2], seed)');
  return out;
}

/** The Philox words u32 behind `gaussianNoise`: lane i mod 4 of group i / 4, firstElement rounded down to a multiple of four. */
export function philoxWords(plan: Plan, shape: readonly number[], key: Tensor): Tensor {
  const out = plan.alloc(shape, 'u32');
  record(plan, key, out, 'u32', 'philox((key[3] + element) >> 2u, key[2], seed)');
  return out;
}

/** One thread makes four elements. */
function record(plan: Plan, key: Tensor, out: Tensor, type: 'f32' | 'u32', value: string): void {
  const { declarations, ...shader } = shaderInterface(
    [
      ['key', 'read', 'u32'],
      ['out', 'write', type],
    ],
    [['count', 'u32']],
  );
  const kernel: Kernel = {
    ...shader,
    label: `random ${type}`,
    code: wgsl`
${declarations}
${philoxNormals}
${linearMain(workgroupSize)}
  let element = thread * 4u;
  let seed = vec2u(key[0], key[1]);
  let value = ${value};
  if (element < params.count) { out[element] = value.x; }
  if (element + 1u < params.count) { out[element + 1u] = value.y; }
  if (element + 2u < params.count) { out[element + 2u] = value.z; }
  if (element + 3u < params.count) { out[element + 3u] = value.w; }
}
`,
  };
  const count = sizeOf(out.shape);
  plan.call(kernel, [key, out], linearGrid(Math.ceil(count / 4), workgroupSize), { count });
}
