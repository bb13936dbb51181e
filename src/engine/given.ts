// What a stage is given besides noise and words: the pictures that its frames go by, and latents that stay as they are. Those
// are the scenes of a story, or what a redrawn picture keeps; the picture to go by may be a sketch (both as in Palette, Saharia
// et al. 2022). It encodes and samples nothing.
import type { Gpu } from '../gpu/device';
import type { Plan } from '../gpu/plan';
import { sizeOf, type Tensor, view } from '../gpu/tensor';
import { constant } from '../models/blocks';
import { concat } from '../ops/elementwise';
import type { Box } from '../redraw';
import { clearTensor, copyTensor, subTensor } from './tensors';

export interface GivenInputs {
  /** [2, T, H, W, C]: known latents, normalised, 0 where nothing is known; then 1 where it is. */
  readonly known: Tensor;
  /** [1, T, H, W, 1]: 1 where it is known. */
  readonly mask: Tensor;
  /** [1, T, H, W, C]: the picture that each frame goes by; zeros where there is none. */
  readonly pictures: Tensor;
}

/** Its tensors belong to the plan, and keep what they are given until they are cleared. */
export class Given implements GivenInputs {
  readonly known: Tensor;
  readonly mask: Tensor;
  readonly pictures: Tensor;
  readonly #gpu: Gpu | null;

  /** @param gpu null in a dry run, which is given nothing */
  constructor(
    gpu: Gpu | null,
    plan: Plan,
    frames: number,
    [height, width]: readonly [number, number],
    channels: number,
  ) {
    this.#gpu = gpu;
    this.known = plan.input([2, frames, height, width, channels], 'f32', 'known latents');
    this.mask = plan.input([1, frames, height, width, 1], 'f32', 'known places');
    this.pictures = plan.input([1, frames, height, width, channels], 'f32', 'pictures');
  }

  /** Forgets everything. */
  clear(): void {
    const tensors = [this.known, this.mask, this.pictures];
    this.#opened().submit('forget', (encoder) => {
      for (const tensor of tensors) clearTensor(encoder, tensor);
    });
  }

  /** Makes frames go by a picture. @param latents [1, 1, H, W, C] @param frames which ones */
  show(latents: Tensor, frames: readonly number[]): void {
    const size = sizeOf(latents.shape);
    this.#opened().submit('pictures', (encoder) => {
      for (const frame of frames) copyTensor(encoder, latents, subTensor(this.pictures, latents.shape, frame * size));
    });
  }

  /**
   * Makes a frame end as it is given, or the part of it where the mask is 1.
   * @param latents [1, 1, H, W, C] @param mask [H·W], of ones unless it says so
   */
  keep(latents: Tensor, frame: number, mask?: Uint8Array): void {
    const [, frames, height, width, channels] = this.known.shape as [number, number, number, number, number];
    const cells = height * width;
    const first = frame * cells;
    const places = Float32Array.from(mask ?? new Uint8Array(cells).fill(1));
    const counts = Float32Array.from({ length: cells * channels }, (_, i) => places[Math.floor(i / channels)] ?? 0);
    const gpu = this.#opened();
    gpu.write(subTensor(this.mask, [cells], first), places);
    gpu.write(subTensor(this.known, [cells, channels], (frames * cells + first) * channels), counts);
    gpu.submit('known latents', (encoder) => {
      for (const { start, length } of runs(places)) {
        const to = subTensor(this.known, [length, channels], (first + start) * channels);
        copyTensor(encoder, latents, to, start * channels);
      }
    });
  }

  #opened(): Gpu {
    if (!this.#gpu) throw new Error('a dry run is given nothing');
    return this.#gpu;
  }
}

/**
 * What the denoiser is told beside the noisy latents (`conditionChannels` of src/models/unet3d.ts): what is known and where,
 * the pictures, and for a clip that frame 0 is the anchor, that there is a picture, and that it is a clip.
 * @returns [1, T, H, W, 2C + 4]
 */
export function conditionsOf(plan: Plan, { known, mask, pictures }: GivenInputs): Tensor {
  const [, frames, height, width] = pictures.shape as [number, number, number, number, number];
  const isClip = frames > 1;
  const flags = Float32Array.from({ length: frames * height * width * 3 }, (_, i) => {
    const isAnchor = i < 3 * height * width;
    return isClip && (i % 3 > 0 || isAnchor) ? 1 : 0;
  });
  return concat(plan, [
    view(known, pictures.shape, 0),
    mask,
    pictures,
    constant(plan, flags, [1, frames, height, width, 3], 'flags'),
  ]);
}

/** 1 outside the box, row by row. @param size rows and columns */
export function maskOutside({ left, top, width, height }: Box, [rows, columns]: readonly [number, number]): Uint8Array {
  const mask = new Uint8Array(rows * columns).fill(1);
  for (let row = top; row < Math.min(rows, top + height); row++) {
    mask.fill(0, row * columns + left, row * columns + Math.min(columns, left + width));
  }
  return mask;
}

/** Where values that are not 0 follow one another. */
function runs(values: ArrayLike<number>): readonly { readonly start: number; readonly length: number }[] {
  const found: { start: number; length: number }[] = [];
  for (let i = 0; i < values.length; i++) {
    const last = found.at(-1);
    if (!values[i]) continue;
    if (last && last.start + last.length === i) last.length++;
    else found.push({ start: i, length: 1 });
  }
  return found;
}
