// What a picture keeps while a part of it is drawn anew (Palette, Saharia et al. 2022): given latents and where they count, for
// the denoiser to look at and for the sampler to hold on to. It encodes and samples nothing.
import type { Gpu } from '../gpu/device';
import { sizeOf, type Tensor } from '../gpu/tensor';
import type { Box } from '../options';
import { copyTensor, part as piece } from './tensors';

export interface KnownPart {
  /** Normalised, [1, 1, H, W, C]. */
  readonly latents: Tensor;
  /** [H·W], 1 where they are kept. */
  readonly mask: Uint8Array;
}

/** Where it is read from; zeros until `setKnown`. */
export interface KnownInputs {
  /** [B, 1, H, W, 2C + 4]: known latents, are they known, and what else a denoiser is told, which for a picture is 0. */
  readonly conditions: Tensor;
  /** [2, 1, H, W, C]: latents, then 1 where they count. */
  readonly known: Tensor;
}

/** 1 outside the box, row by row. @param size rows and columns */
export function maskOutside({ left, top, width, height }: Box, [rows, columns]: readonly [number, number]): Uint8Array {
  const mask = new Uint8Array(rows * columns).fill(1);
  for (let row = top; row < Math.min(rows, top + height); row++) {
    mask.fill(0, row * columns + left, row * columns + Math.min(columns, left + width));
  }
  return mask;
}

/** Submits what is known, or that nothing is. */
export function setKnown(gpu: Gpu, { conditions, known }: KnownInputs, part: KnownPart | undefined): void {
  const [, , height, width, channels] = known.shape as [number, number, number, number, number];
  const cells = height * width;
  const conditionChannels = conditions.shape.at(-1) ?? 0;
  /** Where each row of the batch tells of a cell. */
  const places = (cell: number) => Array.from({ length: conditions.shape[0] ?? 0 }, (_, row) => row * cells + cell);
  const kept = Array.from({ length: cells }, (_, cell) => cell).filter((cell) => part?.mask[cell]);
  const flags = new Float32Array(sizeOf(conditions.shape));
  const counts = new Float32Array(sizeOf(known.shape));
  for (const cell of kept) {
    for (const place of places(cell)) flags[place * conditionChannels + channels] = 1;
    counts.fill(1, (cells + cell) * channels, (cells + cell + 1) * channels);
  }
  gpu.write(conditions, flags);
  gpu.write(known, counts);
  if (!part) return;
  const encoder = gpu.device.createCommandEncoder({ label: 'known latents' });
  for (const cell of kept) {
    const copy = (to: Tensor, at: number) =>
      copyTensor(encoder, part.latents, piece(to, [channels], at), cell * channels);
    copy(known, cell * channels);
    for (const place of places(cell)) copy(conditions, place * conditionChannels);
  }
  gpu.device.queue.submit([encoder.finish()]);
}
