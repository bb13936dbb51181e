// A clip as a looping picture, in one of two kinds of file; what is in them is apng.ts's and gif.ts's.
import { ApngWriter } from './apng';
import { GifWriter } from './gif';
import type { ClipMetadata } from './metadata';
import type { Pixels } from './pixels';

/** APNG keeps the transparency as it is, lossless; GIF is for where that is not taken. */
export type AnimationKind = 'apng' | 'gif';

export interface AnimationOptions {
  readonly kind: AnimationKind;
  /** Pixels of a side of its square. */
  readonly side: number;
}

/** `await add(frame)` for each frame in display order, then `finish`. */
export interface AnimationWriter {
  /** @throws TypeError for a frame of another size, as the caller's mistake */
  add(frame: Pixels): Promise<void>;
  /** @param metadata travels inside @throws FlipbookError 'encoder' where there is no frame */
  finish(metadata?: ClipMetadata): Blob;
}

/** @param paper what a GIF's edges are drawn on: `#rrggbb` */
export function openAnimation(
  { kind, side }: AnimationOptions,
  { fps, paper }: { readonly fps: number; readonly paper: string },
): AnimationWriter {
  const options = { width: side, height: side, fps };
  if (kind === 'apng') return new ApngWriter(options);
  return new GifWriter({ ...options, paper });
}
