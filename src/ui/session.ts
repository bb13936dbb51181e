// The page's state and what a visitor can do with it, as signals. No markup, and no engine of its own: it is handed one.
import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { DoneEvent, GenerateEvent } from '../events';
import {
  decodeLink,
  encodeLink,
  type Field,
  type FieldErrors,
  fields,
  type GenerateOptions,
  limits,
  type RawOptions,
  validate,
} from '../options';
import type { AdapterReport, Engine, Failure } from '../protocol';
import { type Announcer, createAnnouncer } from './announcer';
import { work } from './estimate';
import { toFailure } from './messages';
import { advance, atStart, type Progress, timeLeft } from './progress';
import { loadPace, loadSettings, savePace, saveSettings } from './settings';

/** A finished clip. `address` is an object URL of the MP4, `null` where none could be encoded. */
export interface Clip extends Omit<DoneEvent, 'type'> {
  readonly address: string | null;
}

export interface Session {
  readonly engine: Engine;
  /** Each control's text as typed. */
  readonly form: Record<Field, Signal<string>>;
  readonly seedLocked: Signal<boolean>;
  /** What is wrong with the form now; `visibleErrors` is what to show of it. */
  readonly errors: ReadonlySignal<FieldErrors>;
  readonly visibleErrors: ReadonlySignal<FieldErrors>;
  readonly adapter: Signal<AdapterReport | undefined>;
  readonly progress: Signal<Progress | undefined>;
  readonly clip: Signal<Clip | undefined>;
  readonly failure: Signal<Failure | undefined>;
  readonly playing: Signal<boolean>;
  /** The text of the live region. */
  readonly announcement: Signal<string>;
  /** One short line below the stage: what the last small action did. */
  readonly note: Signal<string>;
  /** Seconds that the form's clip should take; unknown before the first clip on this adapter. */
  readonly estimate: ReadonlySignal<number | undefined>;
  attach(canvas: HTMLCanvasElement): Promise<void>;
  /** Resolves to the first wrong field, or nothing when the run ended, one way or the other. */
  generate(): Promise<Field | undefined>;
  cancel(): void;
  edit(field: Field, text: string): void;
  /** A control was left: its message may show. */
  leave(field: Field): void;
  rollSeed(): void;
  /** Puts parameters from a link or a file into the form, as they are. */
  restore(raw: Partial<RawOptions>, from: string): void;
  /** The address that reproduces the form, or nothing while the form is wrong. */
  link(): string | undefined;
  report(error: unknown): void;
  /** Says it below the stage, and to screen readers. */
  tell(message: string): void;
  setPlaying(playing: boolean): void;
}

export function createSession(engine: Engine, { hash = '', reducedMotion = false } = {}): Session {
  const stored = loadSettings();
  const linked = decodeLink(hash);
  const initial: RawOptions = { ...stored.form, ...linked };
  const form = Object.fromEntries(fields.map((field) => [field, signal(initial[field])])) as Session['form'];
  const seedLocked = signal(stored.seedLocked || linked.seed !== undefined);
  const raw = computed(() => Object.fromEntries(fields.map((field) => [field, form[field].value])) as RawOptions);
  const valid = computed(() => validate(raw.value));
  const errors = computed<FieldErrors>(() => (valid.value.ok ? {} : valid.value.errors));
  /** Fields whose message may show: left once, or asked for by Generate. What came with a link shows at once. */
  const shown = signal<ReadonlySet<Field>>(new Set(Object.keys(linked) as Field[]));
  const visibleErrors = computed(
    () =>
      Object.fromEntries(
        Object.entries(errors.value).filter(([field]) => shown.value.has(field as Field)),
      ) as FieldErrors,
  );
  const adapter = signal<AdapterReport | undefined>(undefined);
  const progress = signal<Progress | undefined>(undefined);
  const clip = signal<Clip | undefined>(undefined);
  const failure = signal<Failure | undefined>(undefined);
  const playing = signal(!reducedMotion);
  const announcement = signal('');
  const note = signal('');
  const pace = signal<number | undefined>(undefined);
  const estimate = computed(() =>
    valid.value.ok && pace.value !== undefined ? work(valid.value.options) * pace.value : undefined,
  );
  const announcer: Announcer = createAnnouncer((message) => {
    announcement.value = message;
  });
  /** The seed that the last clip used: unlocked, it is rolled before it is used again. */
  let usedSeed: string | undefined;
  let partBegan = 0;

  effect(() => saveSettings({ form: raw.value, seedLocked: seedLocked.value }));

  const tell = (message: string) => {
    note.value = message;
    announcer.say(message, true);
  };

  /** For scripts that drive the page (scripts/generate.mjs): each event of a generation, and failures, on `window`. */
  const broadcast = (detail: object) => {
    if (typeof window !== 'undefined') window.dispatchEvent(new CustomEvent('flipbook', { detail }));
  };

  const fail = (error: unknown) => {
    const reason = toFailure(error);
    if (reason.code === 'cancelled') {
      tell('Cancelled.');
      return;
    }
    failure.value = reason;
    broadcast({ type: 'failure', ...reason });
    announcer.say(reason.message, true);
  };

  const onEvent = (event: GenerateEvent) => {
    const before = progress.value;
    if (!before) return; // Late news of a run that was given up.
    const now = performance.now();
    const next = advance(before, event, (now - partBegan) / 1000);
    if (next.part !== before.part) partBegan = now;
    progress.value = next;
    if (event.type !== 'done') broadcast(event);
    if (event.type === 'done') finish(event);
    else announcer.say([next.words, timeLeft(next)].filter(Boolean).join(', '));
  };

  const finish = ({ type: _type, ...done }: DoneEvent) => {
    const old = clip.value?.address;
    clip.value = { ...done, address: done.video && URL.createObjectURL(done.video) };
    if (old) URL.revokeObjectURL(old);
    const { codec, stats, options, problem } = done;
    broadcast({ type: 'done', codec, stats, options, problem, adapter: adapter.value?.name });
    const { seconds } = stats;
    pace.value = (seconds.total - seconds.load - seconds.compile) / work(done.options);
    if (adapter.value) savePace(adapter.value.name, pace.value);
    announcer.say(`Your clip of ${done.options.frames} frames is finished: ${done.options.prompt}.`, true);
    if (!done.video) {
      failure.value = { code: 'encoder', message: done.problem ?? 'This browser could not encode a video.', hint: '' };
    }
  };

  const run = async (options: GenerateOptions) => {
    batch(() => {
      failure.value = undefined;
      note.value = '';
      progress.value = atStart;
    });
    partBegan = performance.now();
    usedSeed = String(options.seed);
    announcer.say('Started.', true);
    try {
      await engine.generate(options, onEvent);
    } catch (error) {
      fail(error);
    } finally {
      progress.value = undefined;
    }
  };

  const rollSeed = () => {
    // 32 bits are plenty of clips, and short enough to read out.
    form.seed.value = String(crypto.getRandomValues(new Uint32Array(1))[0]);
  };

  return {
    engine,
    form,
    seedLocked,
    errors,
    visibleErrors,
    adapter,
    progress,
    clip,
    failure,
    playing,
    announcement,
    note,
    estimate,
    rollSeed,
    async attach(canvas) {
      try {
        const report = await engine.attach(canvas);
        adapter.value = report;
        pace.value = loadPace(report.name);
        engine.setPlaying(playing.value);
      } catch (error) {
        fail(error);
      }
    },
    async generate() {
      if (progress.value) return undefined;
      if (!seedLocked.value && form.seed.value === usedSeed) rollSeed();
      const checked = valid.value;
      if (checked.ok) {
        await run(checked.options);
        return undefined;
      }
      shown.value = new Set(fields);
      const wrong = fields.find((field) => checked.errors[field]);
      if (wrong) announcer.say(checked.errors[wrong] ?? '', true);
      return wrong;
    },
    cancel() {
      if (progress.value) engine.cancel();
    },
    edit(field, text) {
      form[field].value = text;
      // A seed typed by hand is one that somebody wants to keep.
      if (field === 'seed') seedLocked.value = true;
    },
    leave(field) {
      shown.value = new Set(shown.value).add(field);
    },
    restore(given, from) {
      batch(() => {
        for (const field of fields) {
          const value = given[field];
          if (value !== undefined) form[field].value = value;
        }
        if (given.seed !== undefined) seedLocked.value = true;
        shown.value = new Set([...shown.value, ...(Object.keys(given) as Field[])]);
      });
      tell(`Settings restored from ${from}.`);
    },
    link() {
      if (!valid.value.ok) return undefined;
      return new URL(encodeLink(valid.value.options), location.href).href;
    },
    report: fail,
    tell,
    setPlaying(value) {
      playing.value = value;
      engine.setPlaying(value);
    },
  };
}

/** For a control's slider or arrow keys: the next value up or down, within limits and on its grid. */
export function stepped(text: string, by: number, field: 'steps' | 'guidance' | 'frames'): string {
  const { min, max } = limits[field];
  const grid = field === 'frames' ? limits.frames.multiple : field === 'guidance' ? 0.5 : 1;
  const value = Number(text);
  const from = Number.isFinite(value) ? value : min;
  const next = by > 0 ? Math.floor(from / grid + by + 1e-9) : Math.ceil(from / grid + by - 1e-9);
  return String(Math.min(max, Math.max(min, next * grid)));
}
