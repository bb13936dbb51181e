// The page's state and what a visitor can do with it, as signals. No markup, and no engine of its own: it is handed one.
import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import {
  decodeLink,
  defaults,
  encodeLink,
  type Field,
  fields,
  type GenerateOptions,
  type RawOptions,
  type Restored,
  toRaw,
} from '../options';
import type { AdapterReport, EngineClient } from '../protocol';
import type { ClipStore } from './clip-store';
import { createEarlier, type Earlier } from './earlier';
import { createFinished, type FinishedState } from './finished';
import { type Controls, createForm } from './form';
import { createMemory, type Memory } from './memory';
import { framesLost, otherModel } from './messages';
import { createPages, type Pages } from './pages';
import { createPictureSources, type PictureSources } from './picture-sources';
import { cancelling, type Progress } from './progress';
import { createRun, type Run } from './run';
import { clearStorage, type GivenPicture, type Settings } from './settings';
import { createStartPicture, nameOf, type Outcome, type PictureReader, type StartPictureState } from './start-picture';
import { createTelling, type Telling } from './telling';
import { createUndo, type Source, type Undo } from './undo';

export interface Session extends Controls, PictureSources, Pages {
  readonly engine: EngineClient;
  readonly start: StartPictureState;
  /** Whether files are being dragged over the page, and there over the start picture's control. */
  readonly dragging: Signal<'none' | 'page' | 'control'>;
  readonly adapter: Signal<AdapterReport | undefined>;
  readonly progress: Signal<Progress | undefined>;
  readonly clip: FinishedState['clip'];
  readonly isClipLost: FinishedState['isLost'];
  /** There is something to save, of the finished clip or an earlier one, that is gone when the page is left. */
  readonly isAtRisk: ReadonlySignal<boolean>;
  /** The clips before it. */
  readonly earlier: Pick<Earlier, 'clips' | 'areKept' | 'isCleared' | 'remove'>;
  readonly failure: Telling['failure'];
  readonly background: FinishedState['background'];
  readonly announcement: Telling['announcement'];
  readonly note: Telling['note'];
  readonly estimate: Run['estimate'];
  readonly isModelLoaded: Run['isModelLoaded'];
  /** Gives the engine the element that its canvas belongs in. */
  attach(element: HTMLElement): Promise<void>;
  /** Resolves to the first wrong field, or nothing when the run ended, one way or the other. */
  generate(): Promise<Field | undefined>;
  cancel(): void;
  /** A clip was cancelled just now: a second click or key press is still meant for Cancel, not for what takes its place. */
  readonly isResting: ReadonlySignal<boolean>;
  /** Whether the form shows what a link says, unchanged and unused. */
  readonly borrowed: Memory['borrowed'];
  /** What the last link says was used with another model. */
  readonly isOfOtherModel: ReadonlySignal<boolean>;
  /** Puts parameters from a file or an earlier clip into the form, as they are. @param picture that it started from, if known */
  restore(raw: Restored, from: string, picture?: GivenPicture): void;
  /** The same for a link, if there is one in the address's hash. */
  openLink(hash: string): void;
  /** Makes an idea the prompt. */
  suggest(prompt: string): void;
  /**
   * What last took the place of something in the form, and the way back; undefined when nothing did, or a clip was begun since,
   * unless it was a link.
   */
  readonly replaced: Undo['replaced'];
  readonly recorded: FinishedState['recorded'];
  /** Removes what is stored on this machine; the page keeps what it shows. @returns whether that worked */
  clearStored(): Promise<boolean>;
  report(error: unknown): void;
  readonly tell: Telling['tell'];
}

export interface SessionOptions {
  /** Of the address. */
  readonly hash?: string;
  readonly reducedMotion?: boolean;
  /** Another reader of pictures, for tests without a browser. */
  readonly readPicture?: PictureReader;
  /** Another place for finished clips, for the same. */
  readonly clipStore?: ClipStore;
}

/** Milliseconds after a cancelled clip in which none is begun: as long as a double click may take. */
const rest = 500;

export function createSession(engine: EngineClient, options: SessionOptions = {}): Session {
  const link = decodeLink(options.hash ?? '');
  const isLinked = Object.keys(link).length > 0;
  const dragging: Session['dragging'] = signal('none');
  const adapter = signal<AdapterReport | undefined>(undefined);
  const progress = signal<Progress | undefined>(undefined);
  const telling = createTelling();
  const { announcement, note, failure, say, tell, fail } = telling;
  const start = createStartPicture({
    linked: isLinked ? { picture: link.picture } : undefined,
    read: options.readPicture,
    say: (message) => say(message, true),
  });
  const { stored, isCopy, valid, showAll, fill, settings, said, ...controls } = createForm(link, start);
  const undo = createUndo({ settings, said, fill, seedLocked: controls.seedLocked }, start, (words) => {
    note.value = '';
    say(words, true);
  });
  const earlier = createEarlier(options.clipStore);
  const finished = createFinished({ engine, telling, earlier, progress, color: controls.form.background });
  const { clip, background, isLost: isClipLost } = finished;
  const { reducedMotion = false } = options;
  const { pages, rewind } = createPages({ engine, telling, clip, isClipLost, progress, reducedMotion });
  const run = createRun({
    engine,
    telling,
    adapter,
    progress,
    valid,
    take(...given) {
      finished.take(...given);
      rewind();
    },
    onStart() {
      undo.forget();
      start.clearFailure();
    },
  });
  if (isLinked && !isCopy) offerStored({ stored, shown: settings.value, link, start, undo });
  const memory = createMemory({ settings, said }, start, isLinked);
  note.value = otherModel(link);
  if (note.value) say(note.value);
  const isOfOtherModel = signal(note.value !== '');

  const onAdapter = (report: AdapterReport | undefined) => {
    adapter.value = report;
    if (report) run.onAdapter(report);
    else if (clip.value) {
      finished.lose();
      run.drawAgain();
      // What ends a run, or a recording, is told in full.
      if (!progress.value) tell(framesLost(clip.value.address !== null, isOfForm(clip.value.options)));
    }
  };
  /** Whether the form asks for such a clip, on whatever background. */
  const isOfForm = (options: GenerateOptions) => {
    const asked = valid.value.ok && encodeLink({ ...valid.value.options, background: options.background });
    return asked === encodeLink(options);
  };

  const isResting = signal(false);
  let last = progress.value;
  progress.subscribe((now) => {
    if (last?.isCancelling && !now) {
      isResting.value = true;
      setTimeout(() => {
        isResting.value = false;
      }, rest);
    }
    last = now;
  });

  const { sources, reading } = createPictureSources({ ...controls, ...pages, engine, start, clip, undo, fail });

  const restore = (given: Restored, from: string, picture?: GivenPicture, source?: Source) => {
    const before = start.picture.value;
    undo.replace(() => {
      fill(given);
      if (picture && picture.sha256 === given.picture) start.bring(picture);
      else start.want(given.picture);
      let more = '';
      if (start.missing.value) more = ' The picture that it started from is not in it: add that, too.';
      else if (before && !start.picture.value) more = ' It started from no picture, so yours is removed.';
      return [`Settings restored from ${from}.${more}`, otherModel(given)].filter(Boolean).join(' ');
    }, source);
  };

  return {
    ...controls,
    ...sources,
    ...pages,
    engine,
    start,
    borrowed: memory.borrowed,
    isOfOtherModel,
    dragging,
    adapter,
    progress,
    clip,
    isClipLost,
    isAtRisk: computed(() => finished.isAtRisk.value || earlier.isAtRisk.value),
    earlier,
    failure,
    background,
    announcement,
    note,
    estimate: run.estimate,
    isModelLoaded: run.isModelLoaded,
    rollSeed() {
      controls.rollSeed();
      say(`Seed ${controls.form.seed.value}.`, true);
    },
    recorded: finished.recorded,
    async attach(element) {
      engine.setPlaying(pages.playing.value);
      try {
        await engine.attach(element, onAdapter);
      } catch (error) {
        fail(error, true);
      }
    },
    async generate() {
      if (progress.value) {
        tell('One clip at a time: cancel this one, or wait for it.');
        return undefined;
      }
      // A picture that is being read is of the clip that was asked for, and so is one that was given after it meanwhile.
      let outcome: Outcome = 'taken';
      for (let picture = reading(); picture; picture = reading()) outcome = await picture;
      if (progress.value) return undefined; // Asked for twice meanwhile.
      if (outcome === 'overtaken') tell('The start picture changed meanwhile: press Generate once more.');
      if (outcome !== 'taken') return undefined;
      const isOfLink = memory.borrowed.value && !clip.value; // What it says is drawn once as it is.
      // As it is read, not as it is typed: with blanks and zeros before it, it is the same.
      const isUsed = valid.value.ok && String(valid.value.options.seed) === run.usedSeed;
      if (isUsed && !isOfLink && !controls.seedLocked.value) controls.rollSeed();
      if (valid.value.ok) {
        const remark = start.missing.value && 'Drawn without the picture that these settings name: it is not here.';
        await run.make(valid.value.options, start.picture.value, remark);
        return undefined;
      }
      const { errors } = valid.value;
      const wrong = showAll();
      if (wrong) say(errors[wrong] ?? '', true);
      return wrong;
    },
    cancel() {
      if (!progress.value || progress.value.isCancelling) return;
      progress.value = cancelling(progress.value);
      say(progress.value.words, true);
      engine.cancel();
    },
    isResting,
    restore,
    replaced: undo.replaced,
    suggest(prompt) {
      undo.replace(() => {
        controls.edit('prompt', prompt);
        return `The prompt was replaced by “${prompt}”.`;
      });
    },
    openLink(hash) {
      const given = decodeLink(hash);
      if (Object.keys(given).length === 0) return;
      batch(() => {
        restore(given, 'the link', undefined, 'link');
        memory.borrow();
        isOfOtherModel.value = otherModel(given) !== '';
      });
    },
    async clearStored() {
      try {
        await clearStorage();
        earlier.forget();
        tell('Removed from this machine. This page keeps what it has in memory until you leave it.');
        return true;
      } catch (error) {
        fail(error);
        return false;
      }
    },
    report: fail,
    tell,
  };
}

interface StoredOffer {
  readonly stored: Settings;
  /** What the form says in its place. */
  readonly shown: Settings;
  readonly link: Restored;
  readonly start: StartPictureState;
  readonly undo: Undo;
}

/** What was here before the page was opened by a link can be had back, if the visitor chose some of it and the link says otherwise. */
function offerStored({ stored, shown, link, start, undo }: StoredOffer): void {
  const { picture, missing } = start.stored;
  const name = nameOf(start.stored);
  const isPictureGone = name !== undefined && name !== link.picture;
  const usual = toRaw(defaults);
  const isGone = (field: keyof RawOptions) =>
    stored.form[field] !== usual[field] && stored.form[field] !== shown.form[field];
  const chosen = fields.filter((field) => field !== 'seed' || stored.seedLocked);
  if (!isPictureGone && !chosen.some(isGone)) return;
  undo.offer('The link’s settings are in place of yours.', stored, () => {
    if (picture) start.bring(picture);
    else start.want(missing || undefined);
  });
}
