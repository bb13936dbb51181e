// Shape checks that every op shares: they say what was given, what was expected and what to do. No GPU here.
import type { DType, Tensor } from '../gpu/tensor';

/** `[2, 9, 16, 16, 64] f32`, for messages. */
export function formatTensor(tensor: Tensor): string {
  return `[${tensor.shape.join(', ')}] ${tensor.dtype}`;
}

/**
 * `advice` says what to do about a wrong tensor.
 * @throws TypeError unless the tensor has this shape (-1: any extent) and type
 */
export function expectTensor(
  op: string,
  name: string,
  tensor: Tensor,
  shape: readonly number[],
  dtype: DType = 'f32',
  advice = '',
): void {
  const fits =
    tensor.shape.length === shape.length &&
    shape.every((extent, i) => extent === -1 || extent === tensor.shape[i]) &&
    tensor.dtype === dtype;
  if (fits) return;
  const expected = `[${shape.map((extent) => (extent === -1 ? 'any' : extent)).join(', ')}] ${dtype}`;
  throw new TypeError(`${op}: ${name} is ${formatTensor(tensor)}, expected ${expected}${advice ? `; ${advice}` : ''}`);
}

export type Extents = readonly [batch: number, time: number, height: number, width: number, channels: number];

/**
 * The extents of an activation `[B, T, H, W, C]`.
 * @throws TypeError for anything else
 */
export function activationShape(op: string, name: string, tensor: Tensor): Extents {
  if (tensor.shape.length !== 5 || tensor.dtype !== 'f32') {
    throw new TypeError(
      `${op}: ${name} is ${formatTensor(tensor)}, expected [B, T, H, W, C] f32; reshape it, channels last`,
    );
  }
  const [batch, time, height, width, channels] = tensor.shape as [number, number, number, number, number];
  return [batch, time, height, width, channels];
}

/** @throws TypeError unless `value` is a whole number from 1 to `most` */
export function expectCount(op: string, name: string, value: number, most = 2 ** 31 - 1): void {
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new TypeError(`${op}: ${name} is ${value}, expected a whole number from 1 to ${most}`);
  }
}
