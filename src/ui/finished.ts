// The finished clip on the stage: the paper that it lies on, and its video on that paper. How it is made is session.ts's, and the
// clips before it are earlier.ts's.
import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { DoneEvent } from '../events';
import { FlipbookError } from '../gpu/errors';
import type { StartPicture } from '../media/picture';
import { defaults, toRestored } from '../options';
import type { EngineClient } from '../protocol';
import { readColour } from '../validate';
import type { Earlier } from './earlier';
import type { Progress } from './progress';
import { releaseLater } from './save';

/** A finished clip. `address` is an object URL of the MP4, `null` where none could be encoded. */
export interface Clip extends Omit<DoneEvent, 'type'> {
  readonly address: string | null;
  /** What to call it: the prompt, or the picture that it started from. */
  readonly title: string;
  /** What it started from. */
  readonly picture: StartPicture | undefined;
}

export interface FinishedState {
  readonly clip: ReadonlySignal<Clip | undefined>;
  /** What the stage shows the clip on: the form's, or while that is wrong the clip's own. `#rrggbb` */
  readonly background: ReadonlySignal<string>;
  /** Takes the place of the clip before, which goes to the earlier ones. */
  take(done: DoneEvent, title: string, picture: StartPicture | undefined): void;
  /**
   * The clip with a video on the background that is shown: made anew where that changed, but not beside a clip in the making.
   * Who asks while that goes on gets the same.
   * Where that fails the clip stays as it was. @throws what the engine throws
   */
  recorded(): Promise<Clip | undefined>;
}

/** @param colour the form's background, as typed */
export function createFinished(
  engine: EngineClient,
  earlier: Earlier,
  colour: ReadonlySignal<string>,
  progress: Signal<Progress | undefined>,
): FinishedState {
  const clip = signal<Clip | undefined>(undefined);
  const background = computed(() => readColour(colour.value) ?? clip.value?.options.background ?? defaults.background);
  effect(() => {
    if (clip.value) engine.setBackground(background.value);
  });

  let recording: Promise<Clip> | undefined;
  const record = async (last: Clip, old: string, wanted: string) => {
    const { frames } = last.options;
    let isOver = false;
    const inking = (done: number) => {
      if (isOver) return; // The last news may come after the answer.
      const words = `Inking the pages on this paper: ${done} of ${frames}`;
      progress.value = { fraction: done / frames, words, left: undefined, part: 'again' };
    };
    inking(0);
    try {
      const { video, codec, problem } = await engine.record(inking);
      if (!video) throw new FlipbookError('encoder', problem ?? 'This browser could not encode a video.');
      const options = { ...last.options, background: wanted };
      const made = { ...last, options, video, codec, address: URL.createObjectURL(video) };
      clip.value = made;
      void earlier.replace(old, video, last.title, made.address);
      releaseLater(old);
      return made;
    } finally {
      isOver = true;
      progress.value = undefined;
    }
  };

  return {
    clip,
    background,
    take({ type: _type, ...done }, title, picture) {
      const old = clip.value;
      const address = done.video && URL.createObjectURL(done.video);
      clip.value = { ...done, title, picture, address };
      if (old) {
        const settings = toRestored(old.options);
        earlier.add({ address: old.address, title: old.title, picture: old.picture, settings });
      }
      if (done.video && address) void earlier.keep(done.video, title, address);
    },
    async recorded() {
      if (recording) return recording;
      const last = clip.value;
      const wanted = background.value;
      if (!last?.address || progress.value || last.options.background === wanted) return last;
      recording = record(last, last.address, wanted).finally(() => {
        recording = undefined;
      });
      return recording;
    },
  };
}
