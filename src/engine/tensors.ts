// Moves tensors between programs: each program's arena is its own, so what is handed on lies in a buffer of its own.
import type { Plan } from '../gpu/plan';
import { byteLength, reshape, sizeOf, type Tensor } from '../gpu/tensor';
import { copy } from '../ops/elementwise';

/** Records a copy of `x` that outlives the run. The plan's Program owns it. */
export function persist(plan: Plan, x: Tensor, label: string): Tensor {
  const out = plan.input(x.shape, 'f32', label);
  copy(plan, x, out);
  return out;
}

/** Encodes a copy of as many elements as `to` has, from element `first` of `from`. */
export function copyTensor(encoder: GPUCommandEncoder, from: Tensor, to: Tensor, first = 0): void {
  const [source, target] = [placeOf(from), placeOf(to)];
  encoder.copyBufferToBuffer(source.buffer, source.offset + 4 * first, target.buffer, target.offset, byteLength(to));
}

/** Encodes zeros. */
export function clearTensor(encoder: GPUCommandEncoder, tensor: Tensor): void {
  const { buffer, offset } = placeOf(tensor);
  encoder.clearBuffer(buffer, offset, byteLength(tensor));
}

/** Elements `first …` of an f32 tensor under their own shape; unlike `view` it may start anywhere, for copies alone. */
export function subTensor(tensor: Tensor, shape: readonly number[], first: number): Tensor {
  if (first === 0 && sizeOf(shape) === sizeOf(tensor.shape)) return reshape(tensor, shape);
  const { buffer, offset } = placeOf(tensor);
  return { shape, dtype: tensor.dtype, storage: { kind: 'buffer', buffer, offset: offset + 4 * first } };
}

function placeOf(tensor: Tensor): { readonly buffer: GPUBuffer; readonly offset: number } {
  if (tensor.storage.kind !== 'buffer') throw new TypeError('expected a tensor with a buffer of its own');
  return tensor.storage;
}
