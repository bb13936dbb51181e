// From the engine's events to one fraction, stage words and time left. No clock and no DOM of its own.
import type { GenerateEvent } from '../events';
import { about, sizeInWords } from './words';

export interface Progress {
  /** 0 … 1, never falling. */
  readonly fraction: number;
  /** What is going on, in plain words. */
  readonly words: string;
  /** Seconds left of the whole clip, once a step was measured; 0 with its last frame. */
  readonly left: number | undefined;
  /** Changes when another part of the work begins. 'again': not a new clip, but the finished one's video once more. */
  readonly part: 'start' | 'load' | 'compile' | 'picture' | 'clip' | 'frames' | 'done' | 'again';
  /** It was asked to end, and has not yet. */
  readonly isCancelling?: true;
}

export const atStart: Progress = { fraction: 0, words: 'Waking up the engine', left: undefined, part: 'start' };

/** Where loading and compiling end on the whole bar; the engine knows the shares of the work after them. */
const ends = { load: 0.12, compile: 0.18 } as const;

type Span = readonly [from: number, to: number];

export function advance(before: Progress, event: GenerateEvent): Progress {
  const next = (part: Progress['part'], [from, to]: Span, share: number, words: string, left?: number): Progress => {
    const fraction = from + (to - from) * Math.min(1, Math.max(0, share || 0));
    return { part, words, left, fraction: Math.max(before.fraction, fraction) };
  };
  switch (event.type) {
    case 'unread':
      return before;
    case 'load':
      return next(
        'load',
        [0, ends.load],
        event.loaded / event.total,
        `Fetching the model: ${ofTotal(event.loaded, event.total)}`,
      );
    case 'compile':
      return next(
        'compile',
        [ends.load, ends.compile],
        event.done / event.total,
        `Preparing the GPU: ${event.done} of ${event.total} programs`,
      );
    case 'step': {
      const { index: at, of: scenes } = event.scene ?? { index: 1, of: 1 };
      const picture = scenes > 1 ? `Drawing scene ${at} of ${scenes}` : 'Drawing the first picture';
      const move = event.stage === 'clip';
      const words = `${move ? 'Making it move' : picture}: step ${event.index} of ${event.of}`;
      return next(event.stage, [ends.compile, 1], event.share, words, known(event.eta));
    }
    case 'frame': {
      const words = `Inking the pages: ${event.index} of ${event.of}`;
      return next('frames', [ends.compile, 1], event.share, words, event.index < event.of ? known(event.eta) : 0);
    }
    case 'done':
      return { fraction: 1, words: 'Finished', left: undefined, part: 'done' };
  }
}

/** What is shown until the engine has answered. */
export function cancelling({ fraction, part }: Progress): Progress {
  return { fraction, part, words: 'Cancelling…', left: undefined, isCancelling: true };
}

/** Seconds, once they were measured. */
function known(eta: number): number | undefined {
  return eta > 0 && Number.isFinite(eta) ? eta : undefined;
}

function ofTotal(loaded: number, total: number): string {
  return total > 0 ? `${sizeInWords(loaded)} of ${sizeInWords(total)}` : sizeInWords(loaded);
}

export function percent({ fraction }: Progress): number {
  return Math.floor(fraction * 100);
}

/** “about 12 s left”; before a step was measured, that it is being estimated. Nothing where nothing is measured. */
export function timeLeft({ left, part, isCancelling }: Progress): string {
  if (part === 'done' || part === 'again' || isCancelling) return '';
  if (left === 0) return 'nearly done';
  return left === undefined ? 'estimating the time left' : `${about(left)} left`;
}
