// How long a clip should take, said before it is asked for, and seconds in words. A guess, and called one on the page.
import type { GenerateOptions } from '../options';

/** Seconds a unit of work takes before the first clip: software, two cores with SwiftShader by `npm run generate`; hardware, a guess. */
const assumedSeconds = { software: 0.13, hardware: 0.004 };

/** Units of work: one denoised clip frame of one step is 1. Decoding a frame costs about two. Guidance doubles the picture. */
export function work({ steps, frames, guidance }: Pick<GenerateOptions, 'steps' | 'frames' | 'guidance'>): number {
  const picture = steps * 4 * (guidance === 1 ? 1 : 2);
  return picture + steps * frames + 2 * frames;
}

/** @param pace seconds per unit of work, measured on this adapter; undefined before its first clip. */
export function estimateSeconds(
  options: Pick<GenerateOptions, 'steps' | 'frames' | 'guidance'>,
  adapter: { readonly isSoftware: boolean },
  pace: number | undefined,
): number {
  return work(options) * (pace ?? (adapter.isSoftware ? assumedSeconds.software : assumedSeconds.hardware));
}

/** “under a second”, “12 s”, “3 min 20 s”, “2 h 5 min”: coarser as it grows. */
export function inWords(seconds: number): string {
  if (!(seconds >= 1)) return 'under a second';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 600) {
    const tens = Math.round(whole / 10) * 10;
    return tens % 60 === 0 ? `${tens / 60} min` : `${Math.floor(tens / 60)} min ${tens % 60} s`;
  }
  const minutes = Math.round(whole / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
