// The tensors of one safetensors file by scoped name, repacked for the kernels and put on the GPU once each.
// Nothing here knows a model, and files come from store.ts.
import type { Gpu } from '../gpu/device';
import { FlipbookError, messageOf } from '../gpu/errors';
import { type DType, type Tensor, virtualTensor } from '../gpu/tensor';
import { scaledToHalfBits, toFloat32, toHalfBits } from './half';
import { parseSafetensors, type RawTensor } from './safetensors';

type Form = 'vector' | 'linear' | 'conv';

/** A tensor as the kernels read it; the data are only made where there is a GPU. */
interface Packed {
  readonly shape: readonly number[];
  readonly data: () => Float32Array | Uint16Array;
}

/** What all scopes of one file share. */
interface Shelf {
  readonly gpu: Gpu | null;
  readonly file: string;
  /** Not yet on the GPU. */
  readonly raw: Map<string, RawTensor>;
  readonly uploaded: Map<string, { readonly form: Form; readonly tensor: Tensor }>;
}

export class Weights {
  readonly #shelf: Shelf;
  readonly #prefix: string;

  private constructor(shelf: Shelf, prefix: string) {
    this.#shelf = shelf;
    this.#prefix = prefix;
  }

  /**
   * @param gpu `null` for a dry run: tensors with shapes and no memory
   * @param buffer a whole safetensors file; it is let go when every tensor has been asked for
   * @param file its name, for errors and labels
   * @throws FlipbookError 'weights' where the file is not valid
   */
  static open(gpu: Gpu | null, buffer: ArrayBuffer, file: string): Weights {
    return new Weights({ gpu, file, raw: parseSafetensors(buffer, file), uploaded: new Map() }, '');
  }

  /** The tensors whose names begin with `name` and a dot. Scopes share uploads and `dispose`. */
  scope(name: string): Weights {
    return new Weights(this.#shelf, `${this.#prefix}${name}.`);
  }

  /** f32 [C] from f32, f16 or bf16 [C]: a bias or a parameter of a norm. */
  vector(name: string): Tensor {
    return this.#tensor(name, 'vector', 'f32', (raw) => ({ shape: raw.shape, data: () => toFloat32(raw) }));
  }

  /** f16 [Cin, Cout] from [Cout, Cin]; int8 is scaled by `${name}_scale`, a number for every output. */
  linear(name: string): Tensor {
    return this.#tensor(name, 'linear', 'f16', (raw) => {
      const [cout, cin] = raw.shape as [number, number];
      return { shape: [cin, cout], data: () => repack(this.#half(raw, name), cout, cin, 1) };
    });
  }

  /**
   * f16 [taps, Cin, Cout] from [Cout, Cin, kt], [Cout, Cin, kh, kw] or [Cout, Cin, kt, kh, kw]; taps in that order.
   * Int8 is scaled as for `linear`.
   */
  conv(name: string): Tensor {
    return this.#tensor(name, 'conv', 'f16', (raw) => {
      const [cout, cin, ...kernel] = raw.shape as [number, number, ...number[]];
      const taps = kernel.reduce((size, extent) => size * extent, 1);
      return { shape: [taps, cin, cout], data: () => repack(this.#half(raw, name), cout, cin, taps) };
    });
  }

  /** The tensor on the CPU, as it lies in the file. It stays here, but no longer holds the rest of the file in memory. */
  raw(name: string): RawTensor {
    const full = this.#prefix + name;
    const { raw, uploaded } = this.#shelf;
    const tensor = raw.get(full);
    if (!tensor) {
      if (uploaded.has(full)) throw new Error(`${full} of ${this.#shelf.file} is on the GPU and was let go on the CPU`);
      throw this.#missing(full);
    }
    if (tensor.data.byteLength === tensor.data.buffer.byteLength) return tensor;
    const copy = { ...tensor, data: tensor.data.slice() };
    raw.set(full, copy);
    return copy;
  }

  /** Frees the GPU memory of the whole file, also of other scopes, and lets the rest of the file go. */
  dispose(): void {
    const { gpu, raw, uploaded } = this.#shelf;
    for (const { tensor } of uploaded.values()) gpu?.free(tensor);
    uploaded.clear();
    raw.clear();
  }

  #tensor(name: string, form: Form, dtype: DType, make: (raw: RawTensor) => Packed): Tensor {
    const full = this.#prefix + name;
    const { gpu, file, raw, uploaded } = this.#shelf;
    const known = uploaded.get(full);
    if (known) {
      if (known.form !== form)
        throw new Error(`${full} of ${file} is already in use as a ${known.form}, not a ${form}`);
      return known.tensor;
    }
    const found = raw.get(full);
    if (!found) throw this.#missing(full);
    checkForm(found, form, full, file);
    if (found.dtype === 'I8' && !raw.has(full + SCALE)) throw this.#missing(full + SCALE);
    const { shape, data } = make(found);
    const tensor = gpu ? gpu.upload(data(), shape, dtype, `${file} ${full}`) : virtualTensor(shape, dtype);
    uploaded.set(full, { form, tensor });
    raw.delete(full);
    raw.delete(full + SCALE);
    return tensor;
  }

  #half(raw: RawTensor, name: string): Uint16Array {
    try {
      return raw.dtype === 'I8' ? this.#scaled(raw, name) : toHalfBits(raw);
    } catch (cause) {
      throw new FlipbookError('weights', `${this.#prefix}${name} in ${this.#shelf.file}: ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  /** Binary16 bits of int8 times its output's scale. */
  #scaled({ shape, data }: RawTensor, name: string): Uint16Array {
    const scales = toFloat32(this.#shelf.raw.get(this.#prefix + name + SCALE)!);
    if (scales.length !== shape[0]) throw new RangeError(`${shape[0]} outputs have ${scales.length} scales`);
    return scaledToHalfBits(new Int8Array(data.buffer, data.byteOffset, data.byteLength), scales);
  }

  #missing(name: string): FlipbookError {
    const { file, raw, uploaded } = this.#shelf;
    const count = raw.size + uploaded.size;
    return new FlipbookError('weights', `${file} has no tensor ${name} among its ${count}`, {
      hint: 'The model and the page are of different versions. Reload the page; if that does not help, export the model again.',
    });
  }
}

/** `name_scale` [Cout, 1, …] belongs to the int8 tensor `name` (training/packing.py). */
const SCALE = '_scale';

const RANKS: Record<Form, readonly number[]> = { vector: [1], linear: [2], conv: [3, 4, 5] };

function checkForm({ dtype, shape }: RawTensor, form: Form, name: string, file: string): void {
  const number = dtype === 'F32' || dtype === 'F16' || dtype === 'BF16' || (dtype === 'I8' && form !== 'vector');
  if (number && RANKS[form].includes(shape.length) && !shape.includes(0)) return;
  const expected = `${form === 'vector' ? 'floating-point' : 'floating-point or int8'} with ${RANKS[form].join(' or ')} dimensions`;
  throw new FlipbookError('weights', `${name} in ${file} is ${dtype} [${shape}], expected a ${form}: ${expected}`);
}

/** [Cout, Cin, taps] → [taps, Cin, Cout]: the kernels read consecutive output channels as vectors. */
function repack(source: Uint16Array, cout: number, cin: number, taps: number): Uint16Array {
  const out = new Uint16Array(source.length);
  let at = 0;
  for (let o = 0; o < cout; o++) {
    for (let i = 0; i < cin; i++) {
      for (let tap = 0; tap < taps; tap++) out[(tap * cin + i) * cout + o] = source[at++]!;
    }
  }
  return out;
}
