// A clip in the making: its progress and its end, how long one takes here, and which seed it used. What it is to be is form.ts's,
// and the finished one finished.ts's.
import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { DoneEvent, GenerateEvent } from '../events';
import type { StartPicture } from '../media/picture';
import type { GenerateOptions } from '../options';
import type { AdapterReport, EngineClient } from '../protocol';
import type { Validated } from '../validate';
import { broadcast } from './broadcast';
import { work } from './estimate';
import type { FinishedState } from './finished';
import { inFull, toFailure, unread, withoutVideo } from './messages';
import { advance, atStart, type Progress, timeLeft } from './progress';
import { loadPace, loadUsedSeed, savePace, saveUsedSeed } from './settings';
import type { Telling } from './telling';

export interface Run {
  /** Seconds that the form's clip should take; unknown before the first clip on this adapter. */
  readonly estimate: ReadonlySignal<number | undefined>;
  /** The seed that the last clip used: unlocked, it is rolled before it is used again. */
  readonly usedSeed: string | undefined;
  /** Resolves when the clip is finished, or has failed, which is told. */
  make(options: GenerateOptions, picture: StartPicture | undefined): Promise<void>;
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
  let usedSeed = loadUsedSeed();
  const use = (seed: string | undefined) => {
    usedSeed = seed;
    saveUsedSeed(seed);
  };
  /** What the clip under way starts from. */
  let started: StartPicture | undefined;

  const onEvent = (event: GenerateEvent) => {
    const before = progress.value;
    if (!before) return; // Late news of a run that was given up.
    const next = advance(before, event);
    progress.value = next;
    if (event.type !== 'done') broadcast(event);
    if (event.type === 'unread') return tell(unread(event));
    if (event.type === 'done') finish(event);
    else say([next.words, next.left === undefined ? '' : timeLeft(next)].filter(Boolean).join(', '));
  };

  const finish = (done: DoneEvent) => {
    const { codec, stats, options, problem } = done;
    const title = options.prompt || started?.name || 'a picture';
    take(done, title, started);
    broadcast({ type: 'done', codec, stats, options, problem: problem?.message, adapter: adapter.value?.name });
    const { seconds } = stats;
    pace.value = (seconds.total - seconds.load - seconds.compile) / work(options);
    if (adapter.value) savePace(adapter.value.name, pace.value);
    const words = [`Your clip of ${options.frames} frames is finished: ${title}.`];
    if (!done.video) {
      const reason = withoutVideo(problem);
      failure.value = { ...reason, ofRun: true };
      words.push(inFull(reason));
    }
    say(words.join(' '), true);
  };

  return {
    estimate: computed(() =>
      valid.value.ok && pace.value !== undefined ? work(valid.value.options) * pace.value : undefined,
    ),
    get usedSeed() {
      return usedSeed;
    },
    onAdapter({ name }) {
      pace.value = loadPace(name);
    },
    async make(options, picture) {
      batch(() => {
        failure.value = undefined;
        note.value = '';
        onStart();
        progress.value = atStart;
      });
      started = picture;
      use(String(options.seed));
      say('Started.', true);
      try {
        await engine.generate(options, onEvent, picture?.pixels);
      } catch (error) {
        if (toFailure(error).code !== 'cancelled') use(undefined); // What was lost is drawn next, not another clip.
        fail(error, true);
      } finally {
        progress.value = undefined;
      }
    },
  };
}
