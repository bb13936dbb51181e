// A clip in the making: its progress and its end, how long one takes here, and which seed it used. What it is to be is form.ts's,
// and the finished one finished.ts's.
import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { DoneEvent, GenerateEvent } from '../events';
import type { GenerateOptions } from '../options';
import { type AdapterReport, type EngineClient, failureOf } from '../protocol';
import type { Validated } from '../validate';
import { broadcast } from './broadcast';
import { work } from './estimate';
import type { FinishedState } from './finished';
import { inFull, unread, withoutVideo } from './messages';
import { advance, atStart, type Progress, timeLeft } from './progress';
import { type GivenPicture, loadPace, loadUsedSeed, savePace, saveUsedSeed } from './settings';
import type { Telling } from './telling';

export interface Run {
  /** Seconds that the form's clip should take; unknown before the first clip on this adapter. */
  readonly estimate: ReadonlySignal<number | undefined>;
  /** The model's files are here: nothing is left to fetch for a clip from words. */
  readonly isModelLoaded: ReadonlySignal<boolean>;
  /** The seed that the last clip used: unlocked, it is rolled before it is used again. */
  readonly usedSeed: string | undefined;
  /** The last clip was lost: the next one may use its seed, unlocked or not. */
  drawAgain(): void;
  /** Resolves when the clip is finished, or has failed, which is told. @param remark what else to tell of it */
  make(options: GenerateOptions, picture: GivenPicture | undefined, remark: string): Promise<void>;
  /** Another adapter has another pace. */
  onAdapter(report: AdapterReport): void;
}

export interface RunOptions {
  readonly engine: EngineClient;
  readonly telling: Telling;
  readonly adapter: ReadonlySignal<AdapterReport | undefined>;
  readonly progress: Signal<Progress | undefined>;
  /** What the form asks for. */
  readonly valid: ReadonlySignal<Validated>;
  readonly take: FinishedState['take'];
  /** Lets go of what belongs to the time before this clip. */
  readonly onStart: () => void;
}

export function createRun({ engine, telling, adapter, progress, valid, take, onStart }: RunOptions): Run {
  const { say, tell, fail, failure, note } = telling;
  /** Seconds per unit of work on this adapter. */
  const pace = signal<number | undefined>(undefined);
  const isModelLoaded = signal(false);
  let usedSeed = loadUsedSeed();
  const use = (seed: string | undefined) => {
    usedSeed = seed;
    saveUsedSeed(seed);
  };
  const finish = (done: DoneEvent, picture: GivenPicture | undefined) => {
    const { codec, stats, options, problem } = done;
    const title = options.prompt || picture?.name || 'a picture';
    take(done, title, picture);
    broadcast({ type: 'done', codec, stats, options, problem: problem?.message, adapter: adapter.value?.name });
    const { seconds } = stats;
    pace.value = (seconds.total - seconds.load - seconds.compile) / work(options);
    if (adapter.value) savePace(adapter.value.name, pace.value);
    const words = [`Your clip of ${options.frames} frames is finished: ${title}.`];
    if (!done.video) {
      const reason = withoutVideo(problem, false);
      failure.value = { ...reason, ofRun: true };
      words.push(inFull(reason));
    }
    say(words.join(' '), true);
  };

  return {
    estimate: computed(() =>
      valid.value.ok && pace.value !== undefined ? work(valid.value.options) * pace.value : undefined,
    ),
    isModelLoaded,
    get usedSeed() {
      return usedSeed;
    },
    drawAgain: () => use(undefined),
    onAdapter({ name }) {
      pace.value = loadPace(name);
    },
    async make(options, picture, remark) {
      batch(() => {
        failure.value = undefined;
        note.value = '';
        onStart();
        progress.value = atStart;
      });
      const onEvent = (event: GenerateEvent) => {
        if (event.type === 'compile') isModelLoaded.value = true; // Of a run that was given up, too.
        const before = progress.value;
        if (!before) return; // Late news of a run that was given up.
        if (before.isCancelling && event.type !== 'done') return; // Only that it was finished all the same still counts.
        const next = before.isCancelling ? before : advance(before, event); // A late second click is still one on Cancel.
        progress.value = next;
        if (event.type !== 'done') broadcast(event);
        if (event.type === 'done') finish(event, picture);
        else if (event.type === 'unread') tell([remark, unread(event)].filter(Boolean).join(' '));
        else say([next.words, next.left === undefined ? '' : timeLeft(next)].filter(Boolean).join(', '));
      };
      say('Started.', true);
      if (remark) tell(remark);
      // Its seed is used once it is finished, or was not wanted: what was lost, be it with the page, is drawn next.
      const seed = String(options.seed);
      try {
        await engine.generate(options, onEvent, picture?.pixels);
        use(seed);
      } catch (error) {
        use(failureOf(error).code === 'cancelled' ? seed : undefined);
        fail(error, true);
      } finally {
        progress.value = undefined;
      }
    },
  };
}
