// From the engine's events to one fraction, stage words and time left. No clock and no DOM of its own.
import type { GenerateEvent } from '../events';
import { inWords, megabytes } from './estimate';

export interface Progress {
  /** 0 … 1, never falling. */
  readonly fraction: number;
  /** What is going on, in plain words. */
  readonly words: string;
  /** Seconds left, where they can be known. */
  readonly left: number | undefined;
  /** Changes when another part of the work begins. */
  readonly part: 'start' | 'load' | 'compile' | 'picture' | 'clip' | 'frames' | 'done';
}

export const atStart: Progress = { fraction: 0, words: 'Waking up the engine', left: undefined, part: 'start' };

/** Where each part begins and ends on the whole bar. */
const spans = {
  load: [0, 0.12],
  compile: [0.12, 0.18],
  picture: [0.18, 0.3],
  clip: [0.3, 0.8],
  frames: [0.8, 1],
} as const;

/** @param elapsed seconds since the part that `before` tells of began */
export function advance(before: Progress, event: GenerateEvent, elapsed: number): Progress {
  const next = (part: keyof typeof spans, done: number, of: number, words: string, eta?: number): Progress => {
    const share = of > 0 ? Math.min(1, done / of) : 0;
    const [from, to] = spans[part];
    const sameRate = part === before.part && share > 0.05 ? (elapsed * (1 - share)) / share : undefined;
    return { part, words, left: eta ?? sameRate, fraction: Math.max(before.fraction, from + (to - from) * share) };
  };
  switch (event.type) {
    case 'load':
      return next('load', event.loaded, event.total, `Fetching the model: ${ofTotal(event.loaded, event.total)}`);
    case 'compile':
      return next('compile', event.done, event.total, `Preparing the GPU: ${event.done} of ${event.total} programs`);
    case 'step': {
      const what = event.stage === 'picture' ? 'Drawing the first picture' : 'Making it move';
      const eta = Number.isFinite(event.eta) ? event.eta : undefined;
      return next(event.stage, event.index, event.of, `${what}: step ${event.index} of ${event.of}`, eta);
    }
    case 'frame':
      return next('frames', event.index, event.of, `Inking the pages: ${event.index} of ${event.of}`);
    case 'done':
      return { fraction: 1, words: 'Finished', left: undefined, part: 'done' };
  }
}

function ofTotal(loaded: number, total: number): string {
  return total > 0 ? `${megabytes(loaded)} of ${megabytes(total)}` : megabytes(loaded);
}

export function percent({ fraction }: Progress): number {
  return Math.floor(fraction * 100);
}

/** “about 12 s left”, or nothing while it cannot be known. */
export function timeLeft({ left }: Progress): string {
  return left === undefined ? '' : `about ${inWords(left)} left`;
}
