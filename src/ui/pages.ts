// The finished clip at rest or in motion: which of its pages is shown, and how another one is. When it is drawn is the worker's.
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { EngineClient } from '../protocol';
import type { Clip } from './finished';
import type { Progress } from './progress';
import type { Telling } from './telling';

export interface Pages {
  readonly playing: ReadonlySignal<boolean>;
  /** The page that is shown, from 0; undefined while the clip moves, where there is none, and until the worker has said it. */
  readonly page: ReadonlySignal<number | undefined>;
  setPlaying(playing: boolean): void;
  /**
   * Pauses, and shows the page that is so many further on, or back.
   * @returns whether it does: not without a clip's frames, nor while one is in the making
   */
  turn(by: number): boolean;
}

export interface PagesOptions {
  readonly engine: EngineClient;
  readonly telling: Pick<Telling, 'say' | 'fail'>;
  readonly clip: ReadonlySignal<Clip | undefined>;
  readonly isClipLost: ReadonlySignal<boolean>;
  readonly progress: ReadonlySignal<Progress | undefined>;
  readonly reducedMotion: boolean;
}

export function createPages({ engine, telling, clip, isClipLost, progress, reducedMotion }: PagesOptions): {
  readonly pages: Pages;
  /** Another clip is shown, from its first page. */
  rewind(): void;
} {
  const playing = signal(!reducedMotion);
  const shown = signal<number | undefined>(undefined);
  /** Only the answer to what was asked last counts. */
  let latest = 0;

  const hasPages = () => clip.value !== undefined && !isClipLost.value;
  const ask = async (by: number) => {
    const turn = ++latest;
    try {
      const page = await engine.turn(by);
      if (turn !== latest) return;
      shown.value = page;
      if (clip.value && !progress.value) telling.say(`${pageInWords(page, clip.value)}.`, true);
    } catch (error) {
      if (turn === latest) telling.fail(error);
    }
  };

  return {
    pages: {
      playing,
      page: computed(() => (hasPages() ? shown.value : undefined)),
      setPlaying(value) {
        latest++;
        playing.value = value;
        shown.value = undefined;
        engine.setPlaying(value);
        if (!value && hasPages()) void ask(0);
      },
      turn(by) {
        if (!hasPages() || progress.value) return false;
        playing.value = false;
        void ask(by);
        return true;
      },
    },
    rewind() {
      latest++;
      shown.value = playing.value ? undefined : 0;
    },
  };
}

/** “Page 7 of 36”. @param page from 0 */
export function pageInWords(page: number, { options }: Clip): string {
  return `Page ${page + 1} of ${options.frames}`;
}
