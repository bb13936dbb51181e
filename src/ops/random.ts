// Gaussian noise by seed, stream and element: checks shapes, records the kernel. src/diffusion/noise.ts makes the key.
import { random, randomThreads } from '../../shaders/random.wgsl';
import { linearGrid } from '../gpu/kernel';
import type { Plan } from '../gpu/plan';
import { sizeOf, type Tensor } from '../gpu/tensor';
import { expectTensor } from './check';

/**
 * Standard normals f32 of any shape. key u32 [4] = (seedLow, seedHigh, stream, firstElement): element i of the result is element
 * firstElement + i of the stream, so that a part of a tensor can be made alone. (Philox4x32-10, Salmon et al. 2011; Box–Muller.)
 */
export function gaussianNoise(plan: Plan, shape: readonly number[], key: Tensor): Tensor {
  return record(plan, shape, key, 'normals', 'f32');
}

/** The Philox words u32 behind `gaussianNoise`: lane i mod 4 of group i / 4, firstElement rounded down to a multiple of four. */
export function philoxWords(plan: Plan, shape: readonly number[], key: Tensor): Tensor {
  return record(plan, shape, key, 'words', 'u32');
}

function record(
  plan: Plan,
  shape: readonly number[],
  key: Tensor,
  output: 'words' | 'normals',
  dtype: 'u32' | 'f32',
): Tensor {
  expectTensor(output === 'normals' ? 'gaussianNoise' : 'philoxWords', 'key', key, [4], 'u32', 'noiseKey() makes it');
  const out = plan.alloc(shape, dtype);
  const count = sizeOf(shape);
  plan.call(
    random({ output }),
    [key, out],
    linearGrid(Math.ceil(count / 4), randomThreads),
    { count },
    { flops: 25 * count },
  );
  return out;
}
