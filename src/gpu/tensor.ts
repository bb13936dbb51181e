// A tensor is a shape, an element type and a place in GPU memory. It owns nothing and computes nothing.

export type DType = 'f32' | 'f16' | 'u32';

/** One activation of a Plan. The arena gives it an address when the plan is compiled. */
export interface Slot {
  readonly index: number;
  readonly bytes: number;
  readonly label: string;
}

/**
 * `buffer`: memory that exists. `arena`: an activation, placed by `Plan.compile`. `none`: a dry run, no memory at all.
 * Offsets are in bytes.
 */
export type Storage =
  | { readonly kind: 'buffer'; readonly buffer: GPUBuffer; readonly offset: number }
  | { readonly kind: 'arena'; readonly slot: Slot; readonly offset: number }
  | { readonly kind: 'none' };

/** Dense and row-major; activations are `[B, T, H, W, C]`. `f16` holds two halves per `u32`. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly storage: Storage;
}

/** Storage bindings start at a multiple of this many bytes (the WebGPU default limit). */
export const bindingAlignment = 256;

export function alignTo(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** Number of elements. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, extent) => size * extent, 1);
}

function elementBytes(dtype: DType): number {
  return dtype === 'f16' ? 2 : 4;
}

/** Bytes of the elements; an odd count of f16 is padded to whole u32. */
export function byteLength(tensor: Pick<Tensor, 'shape' | 'dtype'>): number {
  return alignTo(sizeOf(tensor.shape) * elementBytes(tensor.dtype), 4);
}

/** Bytes that a binding of the tensor covers: whole vec4s, so that a kernel may declare `array<vec4f>`. */
export function bindingBytes(tensor: Pick<Tensor, 'shape' | 'dtype'>): number {
  return alignTo(byteLength(tensor), 16);
}

/** A tensor without memory, for dry runs of a plan. */
export function virtualTensor(shape: readonly number[], dtype: DType = 'f32'): Tensor {
  checkShape(shape);
  return { shape, dtype, storage: { kind: 'none' } };
}

/** The same memory under another shape with as many elements. */
export function reshape(tensor: Tensor, shape: readonly number[]): Tensor {
  checkShape(shape);
  if (sizeOf(shape) !== sizeOf(tensor.shape)) {
    throw new TypeError(`Cannot reshape [${tensor.shape}] to [${shape}]: ${sizeOf(tensor.shape)} elements`);
  }
  return { shape, dtype: tensor.dtype, storage: tensor.storage };
}

/**
 * Elements `first .. first + sizeOf(shape)` of the tensor's memory under their own shape.
 * The start must fall on a multiple of 256 bytes: WebGPU binds nothing else.
 */
export function view(tensor: Tensor, shape: readonly number[], first: number): Tensor {
  checkShape(shape);
  const start = first * elementBytes(tensor.dtype);
  if (first < 0 || first + sizeOf(shape) > sizeOf(tensor.shape)) {
    throw new RangeError(`View [${shape}] at element ${first} leaves the tensor [${tensor.shape}]`);
  }
  if (start % bindingAlignment !== 0) {
    throw new RangeError(`View at byte ${start}: expected a multiple of ${bindingAlignment}`);
  }
  const { storage } = tensor;
  return {
    shape,
    dtype: tensor.dtype,
    storage: storage.kind === 'none' ? storage : { ...storage, offset: storage.offset + start },
  };
}

export function checkShape(shape: readonly number[]): void {
  if (!shape.every((extent) => Number.isInteger(extent) && extent > 0)) {
    throw new TypeError(`Shape [${shape}]: expected positive integers`);
  }
}

/** The number that 16 bits of IEEE 754 binary16 stand for. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
