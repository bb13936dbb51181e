// Timestep embedding: checks shapes, records the kernel. Not the layers that follow it.
import { timestepEmbedding as shader } from '../../shaders/embed.wgsl';
import { workgroupSize } from '../../shaders/wgsl';
import { linearGrid } from '../gpu/kernel';
import type { Plan } from '../gpu/plan';
import type { Tensor } from '../gpu/tensor';
import { expectCount, expectTensor } from './check';

/**
 * t f32 [B] in 0..1 → f32 [B, dim]: cosines, then sines, of 1000·t at dim/2 frequencies from 1 down towards 1/10000.
 * (Vaswani et al. 2017; Ho et al. 2020.)
 */
export function timestepEmbedding(plan: Plan, t: Tensor, dim: number): Tensor {
  const op = 'timestepEmbedding';
  expectTensor(op, 't', t, [-1], 'f32', 'one timestep per clip');
  expectCount(op, 'dim', dim);
  if (dim % 2 !== 0) throw new TypeError(`${op}: dim is ${dim}, expected an even number: half are cosines, half sines`);
  const batch = t.shape[0]!;
  const half = dim / 2;
  const count = batch * half;
  const out = plan.alloc([batch, dim]);
  plan.call(shader(), [t, out], linearGrid(count, workgroupSize), { half, count }, { flops: 40 * count });
  return out;
}
