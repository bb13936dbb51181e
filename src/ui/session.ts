// The page's state and what a visitor can do with it, as signals. No markup, and no engine of its own: it is handed one.
import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { DoneEvent, GenerateEvent } from '../events';
import type { StartPicture } from '../media/picture';
import { type Pixels, toPng } from '../media/pixels';
import {
  decodeLink,
  encodeLink,
  type Field,
  type FieldErrors,
  fields,
  frameSide,
  type GenerateOptions,
  limits,
  type RawOptions,
  type Restored,
  validate,
} from '../options';
import type { AdapterReport, Engine, Failure } from '../protocol';
import { type Announcer, createAnnouncer } from './announcer';
import { work } from './estimate';
import { toFailure } from './messages';
import { advance, atStart, type Progress, timeLeft } from './progress';
import { loadPace, loadSettings, savePace, saveSettings } from './settings';
import { createStartPicture, type PictureReader, type StartPictureState } from './start-picture';

/** A finished clip. `address` is an object URL of the MP4, `null` where none could be encoded. */
export interface Clip extends Omit<DoneEvent, 'type'> {
  readonly address: string | null;
  /** What to call it: the prompt, or the picture that it started from. */
  readonly title: string;
}

export interface Session {
  readonly engine: Engine;
  /** Each control's text as typed. */
  readonly form: Record<Field, Signal<string>>;
  readonly seedLocked: Signal<boolean>;
  readonly start: StartPictureState;
  /** Whether files are being dragged over the page, and there over the start picture's control. */
  readonly dragging: Signal<'none' | 'page' | 'control'>;
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
  restore(raw: Restored, from: string): void;
  /** Makes the finished clip's first frame the start picture. */
  keepPicture(): Promise<void>;
  /** The address that brings the form back (not the start picture), or nothing while the form is wrong. */
  link(): string | undefined;
  report(error: unknown): void;
  /** Says it below the stage, and to screen readers. */
  tell(message: string): void;
  setPlaying(playing: boolean): void;
}

export interface SessionOptions {
  /** Of the address. */
  readonly hash?: string;
  readonly reducedMotion?: boolean;
  /** Another reader of pictures, for tests without a browser. */
  readonly readPicture?: PictureReader;
}

export function createSession(engine: Engine, options: SessionOptions = {}): Session {
  const stored = loadSettings();
  const { picture: linkedPicture, ...linked } = decodeLink(options.hash ?? '');
  const initial: RawOptions = { ...stored.form, ...linked };
  const isLinked = linkedPicture !== undefined || Object.keys(linked).length > 0;
  const form = Object.fromEntries(fields.map((field) => [field, signal(initial[field])])) as Session['form'];
  const seedLocked = signal(stored.seedLocked || linked.seed !== undefined);
  const raw = computed(() => Object.fromEntries(fields.map((field) => [field, form[field].value])) as RawOptions);
  const dragging: Session['dragging'] = signal('none');
  const announcement = signal('');
  const announcer: Announcer = createAnnouncer((message) => {
    announcement.value = message;
  });
  const start = createStartPicture({
    linked: isLinked ? { picture: linkedPicture } : undefined,
    read: options.readPicture,
    say: (message) => announcer.say(message, true),
    broadcast,
  });
  const valid = computed(() => validate({ ...raw.value, picture: start.picture.value?.sha256 }));
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
  const playing = signal(!options.reducedMotion);
  const note = signal('');
  const pace = signal<number | undefined>(undefined);
  const estimate = computed(() =>
    valid.value.ok && pace.value !== undefined ? work(valid.value.options) * pace.value : undefined,
  );
  /** The seed that the last clip used: unlocked, it is rolled before it is used again. */
  let usedSeed: string | undefined;
  let partBegan = 0;
  /** The start picture of the run under way. */
  let started: StartPicture | undefined;

  effect(() => saveSettings({ form: raw.value, seedLocked: seedLocked.value }));

  const tell = (message: string) => {
    note.value = message;
    announcer.say(message, true);
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
    const title = done.options.prompt || started?.name || 'a picture';
    clip.value = { ...done, title, address: done.video && URL.createObjectURL(done.video) };
    if (old) URL.revokeObjectURL(old);
    const { codec, stats, options, problem } = done;
    broadcast({ type: 'done', codec, stats, options, problem, adapter: adapter.value?.name });
    const { seconds } = stats;
    pace.value = (seconds.total - seconds.load - seconds.compile) / work(done.options);
    if (adapter.value) savePace(adapter.value.name, pace.value);
    announcer.say(`Your clip of ${done.options.frames} frames is finished: ${title}.`, true);
    if (!done.video) {
      failure.value = { code: 'encoder', message: done.problem ?? 'This browser could not encode a video.', hint: '' };
    }
  };

  const run = async (options: GenerateOptions, picture: StartPicture | undefined) => {
    batch(() => {
      failure.value = undefined;
      note.value = '';
      progress.value = atStart;
    });
    partBegan = performance.now();
    started = picture;
    usedSeed = String(options.seed);
    announcer.say('Started.', true);
    try {
      await engine.generate(options, onEvent, picture?.pixels);
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
    start,
    dragging,
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
    async keepPicture() {
      const finished = clip.value;
      if (!finished) return;
      try {
        const first = await engine.pixels(0, frameSide);
        await start.use(await pictureFile(first, `First page of “${finished.title}”`));
        tell('Its first page is the start picture now: another seed or prompt moves it in another way.');
      } catch (error) {
        fail(error);
      }
    },
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
        await run(checked.options, start.picture.value);
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
      const before = start.picture.value;
      batch(() => {
        for (const field of fields) {
          const value = given[field];
          if (value !== undefined) form[field].value = value;
        }
        if (given.seed !== undefined) seedLocked.value = true;
        start.want(given.picture);
        shown.value = new Set([...shown.value, ...fields.filter((field) => given[field] !== undefined)]);
      });
      let more = '';
      if (start.missing.value) more = ' The picture that it started from is not in it: add that, too.';
      else if (before && !start.picture.value) more = ' It started from no picture, so yours is removed.';
      tell(`Settings restored from ${from}.${more}`);
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

/** For scripts that drive the page (scripts/generate.mjs): each event of a generation, and failures, on `window`. */
function broadcast(detail: object): void {
  if (typeof window !== 'undefined') window.dispatchEvent(new CustomEvent('flipbook', { detail }));
}

/** Pixels as a file that somebody could have given. */
async function pictureFile(pixels: Pixels, name: string): Promise<File> {
  return new File([await toPng(pixels)], name, { type: 'image/png' });
}

export type NumericField = 'steps' | 'guidance' | 'frames' | 'motion';

/** For a control's slider or arrow keys: the next value up or down, within limits and on its grid. */
export function stepped(text: string, by: number, field: NumericField): string {
  const { min, max } = limits[field];
  const grid = { steps: 1, frames: limits.frames.multiple, guidance: 0.5, motion: 0.25 }[field];
  const value = field === 'motion' && text.trim() === '' ? 1 : Number(text);
  const from = Number.isFinite(value) ? value : min;
  const next = by > 0 ? Math.floor(from / grid + by + 1e-9) : Math.ceil(from / grid + by - 1e-9);
  return String(Math.min(max, Math.max(min, next * grid)));
}
