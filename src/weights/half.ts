// Conversions between the element types of weights, by their bits. Whole tensors on the CPU, once at load.
import { halfToNumber } from '../gpu/tensor';
import type { RawTensor } from './safetensors';

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);

/** Bits of the nearest binary16, ties to even; overflow becomes infinity. */
export function numberToHalf(value: number): number {
  FLOAT[0] = value;
  const bits = BITS[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // from 65520 on, halfway to 2^16
  if (magnitude < 0x38800000) {
    // Subnormal: a multiple of 2^-24. Adding 0.5 aligns the last bit of f32 with it, and rounds to even.
    FLOAT[0] = Math.abs(FLOAT[0]!) + 0.5;
    return sign | (BITS[0]! - 0x3f000000);
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
}

/** The elements of a floating-point tensor as numbers; a copy. */
export function toFloat32({ dtype, data }: RawTensor): Float32Array {
  const bytes = copyOf(data);
  switch (dtype) {
    case 'F32':
      return new Float32Array(bytes);
    case 'F16':
      return Float32Array.from(new Uint16Array(bytes), halfToNumber);
    case 'BF16': // the upper half of an f32
      return new Float32Array(Uint32Array.from(new Uint16Array(bytes), (bits) => bits * 0x10000).buffer);
    default:
      throw new TypeError(`${dtype} is not a floating-point type`);
  }
}

/**
 * The elements of a floating-point tensor as binary16 bits; a copy, and for F16 nothing else.
 * Throws RangeError where a finite number is too large for f16.
 */
export function toHalfBits(raw: RawTensor): Uint16Array {
  if (raw.dtype === 'F16') return new Uint16Array(copyOf(raw.data));
  return Uint16Array.from(toFloat32(raw), fittingHalf);
}

/** Binary16 bits of int8 rows, each times its own scale: `scales.length` rows of equal length. Throws as `toHalfBits`. */
export function scaledToHalfBits(data: Int8Array, scales: Float32Array): Uint16Array {
  const out = new Uint16Array(data.length);
  const length = data.length / scales.length;
  for (let row = 0; row < scales.length; row++) {
    for (let i = row * length; i < (row + 1) * length; i++) out[i] = fittingHalf(data[i]! * scales[row]!);
  }
  return out;
}

function fittingHalf(value: number): number {
  const bits = numberToHalf(value);
  if ((bits & 0x7fff) === 0x7c00 && Number.isFinite(value)) throw new RangeError(`${value} is too large for f16`);
  return bits;
}

function copyOf(data: Uint8Array): ArrayBuffer {
  return new Uint8Array(data).buffer; // a copy is aligned, a view of the file need not be
}
