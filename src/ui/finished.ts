// The finished clip on the stage: the paper that it lies on, and its video on that paper. How it is made is session.ts's, and the
// clips before it are earlier.ts's.
import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { DoneEvent } from '../events';
import { defaults, toRestored } from '../options';
import { type EngineClient, failureOf } from '../protocol';
import { readColor } from '../validate';
import { type Earlier, isUnsafe, type Remains } from './earlier';
import { withoutVideo } from './messages';
import type { Progress } from './progress';
import { releaseLater } from './save';
import type { GivenPicture } from './settings';
import type { Telling } from './telling';

const onOtherPaper = 'This MP4 is on the paper that it was made on.';

/** A finished clip. `address` is an object URL of the MP4, `null` where none could be encoded. */
export interface Clip extends Omit<DoneEvent, 'type' | 'problem'>, Remains {
  readonly address: string | null;
  /** What to call it: the prompt, or the picture that it started from. */
  readonly title: string;
  /** What it started from. */
  readonly picture: GivenPicture | undefined;
}

export interface FinishedState {
  readonly clip: ReadonlySignal<Clip | undefined>;
  /** What the stage shows the clip on: the form's, or while that is wrong the clip's own. `#rrggbb` */
  readonly background: ReadonlySignal<string>;
  /** Its frames went away with the device that they lay on: its MP4, if it has one, is what is left of it. */
  readonly isLost: ReadonlySignal<boolean>;
  lose(): void;
  /** There is something to save of it that was neither saved nor stored. The earlier ones are earlier.ts's. */
  readonly isAtRisk: ReadonlySignal<boolean>;
  /** Takes the place of the clip before, which goes to the earlier ones. */
  take(done: DoneEvent, title: string, picture: GivenPicture | undefined): void;
  /**
   * The finished clip with an MP4 on the background shown, encoded again if that changed or there is none, unless a clip is
   * being made. Concurrent calls share one encoding. On failure, which is reported, the clip as it was; undefined if cancelled.
   */
  recorded(): Promise<Clip | undefined>;
}

export interface FinishedOptions {
  readonly engine: EngineClient;
  readonly telling: Telling;
  readonly earlier: Earlier;
  /** The form's background, as typed. */
  readonly color: ReadonlySignal<string>;
  readonly progress: Signal<Progress | undefined>;
}

export function createFinished({ engine, telling, earlier, color, progress }: FinishedOptions): FinishedState {
  const { note, failure, say, fail } = telling;
  const clip = signal<Clip | undefined>(undefined);
  const isLost = signal(false);
  const background = computed(() => readColor(color.value) ?? clip.value?.options.background ?? defaults.background);
  effect(() => {
    if (clip.value) engine.setBackground(background.value);
  });

  let recording: Promise<Clip | undefined> | undefined;
  const record = async (last: Clip, wanted: string) => {
    const { address: old } = last;
    const { frames } = last.options;
    const what = old ? 'on this paper' : 'once more';
    let isOver = false;
    const inking = (done: number) => {
      if (isOver || progress.value?.isCancelling) return; // The last news may come after the answer, or after Cancel.
      const words = `Inking the pages ${what}: ${done} of ${frames}`;
      progress.value = { fraction: done / frames, words, left: undefined, part: 'again' };
    };
    inking(0);
    say(`Inking the pages ${what}.`, true);
    try {
      const { video, codec, problem } = await engine.record(inking);
      if (!video) throw withoutVideo(problem, old !== null);
      const options = { ...last.options, background: wanted };
      const made = { ...last, options, video, codec, address: URL.createObjectURL(video) };
      clip.value = made;
      if (old) {
        void earlier.replace(made);
        releaseLater(old);
      } else void earlier.keep(made);
      if (failure.value?.code === 'encoder') failure.value = undefined;
      say(`The MP4${old ? ' on this paper' : ''} is ready.`, true);
      return made;
    } catch (error) {
      fail(error);
      return failureOf(error).code === 'cancelled' ? undefined : last;
    } finally {
      isOver = true;
      progress.value = undefined;
    }
  };

  const current = async () => {
    if (recording) return recording;
    const last = clip.value;
    const wanted = background.value;
    if (!last || progress.value || (last.address && last.options.background === wanted)) return last;
    recording = record(last, wanted).finally(() => {
      recording = undefined;
    });
    return recording;
  };

  return {
    clip,
    background,
    isLost,
    lose() {
      isLost.value = true;
    },
    isAtRisk: computed(() => {
      if (!clip.value || (isLost.value && !clip.value.address)) return false; // There is nothing to save.
      return isUnsafe(clip.value);
    }),
    take({ type: _type, problem: _problem, ...done }, title, picture) {
      const old = clip.value;
      const { video } = done;
      const remains: Remains = { entry: signal(null), isSaved: signal(false) };
      const made = { ...done, title, picture, address: video && URL.createObjectURL(video), ...remains };
      clip.value = made;
      isLost.value = false;
      if (note.value === onOtherPaper) note.value = '';
      if (old) earlier.add({ ...old, settings: toRestored(old.options) });
      if (video) void earlier.keep({ ...made, video });
    },
    async recorded() {
      const given = await current();
      const isOnAnother = given?.address && given.options.background !== background.value;
      if (isOnAnother) note.value = onOtherPaper; // Seen only: a failure has just been announced.
      return given;
    },
  };
}
