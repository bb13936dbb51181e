// Repeatable numbers for the cases, and the layouts that the peers want them in. All on the CPU, before anything is timed.
import { gaussianNoise } from '../../test/reference/philox';
import { halfToNumber, sizeOf } from '../gpu/tensor';
import { numberToHalf } from '../weights/half';

let streams = 0;

/** Standard normal values, others at each call but the same in each run of a case. */
export function randomValues(shape: readonly number[], scale = 1): Float32Array {
  const values = gaussianNoise(sizeOf(shape), 20260, streams++ % 1000);
  return scale === 1 ? values : values.map((value) => value * scale);
}

/** Weights as our kernels store them: every arm computes with the same numbers, only kept in f32 by the peers. */
export interface HalfWeights {
  readonly bits: Uint16Array;
  readonly values: Float32Array;
}

export function randomWeights(shape: readonly number[], fanIn: number): HalfWeights {
  const bits = Uint16Array.from(randomValues(shape, 1 / Math.sqrt(fanIn)), numberToHalf);
  return { bits, values: Float32Array.from(bits, halfToNumber) };
}

/** A dense tensor with its axes in another order: axis i of the result is axis `order[i]` of the data. */
export function permute(data: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const extents = order.map((axis) => shape[axis]!);
  const steps = order.map((axis) => strides[axis]!);
  const out = new Float32Array(data.length);
  const at = new Array<number>(order.length).fill(0);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from]!;
    for (let axis = order.length - 1; axis >= 0; axis--) {
      at[axis]!++;
      from += steps[axis]!;
      if (at[axis]! < extents[axis]!) break;
      from -= steps[axis]! * extents[axis]!;
      at[axis] = 0;
    }
  }
  return out;
}
