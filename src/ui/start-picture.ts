// The start picture's state: what was given, why something else was not taken, and which one a link or file asks for.
// It decodes nothing (src/media/picture.ts does), stores nothing, and has no markup.
import { batch, type ReadonlySignal, signal } from '@preact/signals';
import { readPicture, type StartPicture } from '../media/picture';
import { frameSide } from '../options';
import { failureOf } from '../protocol';
import { broadcast } from './broadcast';
import { type GivenPicture, loadPicture, type NamedPicture } from './settings';

export type PictureReader = (file: File, side: number) => Promise<StartPicture>;

/** What became of a file: 'overtaken' where something else came first. */
export type Outcome = 'taken' | 'refused' | 'overtaken';

export interface StartPictureState {
  /** What the next clip starts from. */
  readonly picture: ReadonlySignal<GivenPicture | undefined>;
  /** Why the last file given is not it. */
  readonly problem: ReadonlySignal<string>;
  /** SHA-256 of the one that a link or a file names, while it is not here and no other was given; then there is no picture. */
  readonly missing: ReadonlySignal<string>;
  /** That of the last visit, whatever a link names in its place. */
  readonly stored: NamedPicture;
  /**
   * Takes a file. What is no picture changes nothing, and is explained at the control.
   * @param act calls `take` among what else it means to take it
   * @param isMadeHere the file is nowhere else: it is kept with the picture
   */
  use(file: File, act?: (given: GivenPicture, take: () => void) => void, isMadeHere?: boolean): Promise<Outcome>;
  /** Says at the control why something is not taken. */
  refuse(why: string): void;
  /** Lets go of why the last file was not taken. */
  clearFailure(): void;
  /** None: neither this one nor the one that is missing. */
  remove(): void;
  /** For settings from elsewhere: theirs, or none. What is here stays only if it is that one. */
  want(sha256: string | undefined): void;
  /** The one that settings from elsewhere name, where it is at hand. */
  bring(picture: GivenPicture): void;
  /** Keeps what is here now. @returns puts it back */
  remember(): () => void;
}

interface StartPictureOptions {
  /** `undefined`: no link; else what it names, which may be nothing. */
  readonly linked: { readonly picture: string | undefined } | undefined;
  readonly read?: PictureReader | undefined;
  /** To screen readers, at once. */
  readonly say: (message: string) => void;
}

export function createStartPicture({ linked, read = readPicture, say }: StartPictureOptions): StartPictureState {
  const stored = loadPicture(frameSide);
  // A link stands for itself: a picture from the last visit is not part of it, unless it is the one that it names.
  const isOther = linked !== undefined && linked.picture !== nameOf(stored);
  const picture = signal(isOther ? undefined : stored.picture);
  const problem = signal('');
  const missing = signal(isOther ? (linked.picture ?? '') : stored.missing);
  /** Files are read in the background: only the one given last counts. */
  let latest = 0;

  const set = (value: GivenPicture | undefined, missed = '') => {
    batch(() => {
      picture.value = value;
      missing.value = missed;
      problem.value = '';
    });
  };

  const refuse = (why: string) => {
    problem.value = why;
    say(why);
  };

  return {
    picture,
    problem,
    missing,
    stored,
    refuse,
    clearFailure() {
      problem.value = '';
    },
    async use(file, act = (_given, take) => take(), isMadeHere = false) {
      const turn = ++latest;
      try {
        const shown = await read(file, frameSide);
        const given = isMadeHere ? { ...shown, file: new Uint8Array(await file.arrayBuffer()) } : shown;
        if (turn !== latest) return 'overtaken';
        act(given, () => {
          set(given);
          say(`${given.name} is the start picture.`);
        });
        broadcast({ type: 'picture', sha256: given.sha256 });
        return 'taken';
      } catch (error) {
        if (turn !== latest) return 'overtaken';
        const { message, hint } = failureOf(error);
        refuse([message, hint].filter(Boolean).join(' '));
        broadcast({ type: 'failure', code: 'input', message, hint });
        return 'refused';
      }
    },
    remove() {
      latest++;
      set(undefined);
    },
    want(sha256) {
      latest++;
      if (picture.value?.sha256 === sha256) set(picture.value);
      else set(undefined, sha256);
    },
    bring(named) {
      latest++;
      set(named);
    },
    remember() {
      const [before, missed] = [picture.peek(), missing.peek()];
      return () => {
        latest++;
        set(before, missed);
      };
    },
  };
}

/** SHA-256 of the picture that settings go with, be it here or missing. */
export function nameOf({ picture, missing }: NamedPicture): string | undefined {
  return picture?.sha256 ?? (missing || undefined);
}
