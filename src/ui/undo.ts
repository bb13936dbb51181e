// One step back, to what the visitor made, from the settings, idea or start picture that took its place; and one forward again.
// Not a history of typing, which the text fields have themselves.
import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Form } from './form';
import type { Settings } from './settings';
import type { StartPictureState } from './start-picture';

/** What replaced the form's content, and how to undo it. */
export interface Replaced {
  /** They stay true while the form is edited. */
  readonly words: string;
  takeBack(): void;
}

/**
 * Where it came from. What was given by hand is the visitor's own from then on, as typing is. What a link brought may only be
 * tried out: the way back from it outlasts the clips that are made.
 */
export type Source = 'hand' | 'elsewhere' | 'link';

export interface Undo {
  readonly replaced: ReadonlySignal<Replaced | undefined>;
  /** Does what takes the place of what is in the form. @param act says what it did */
  replace(act: () => string, source?: Source): void;
  /** The page was opened by a link: offers the visitor's own settings back, without announcing it. */
  offer(words: string, before: Settings, putPictureBack: () => void): void;
  /** A clip is begun: from here on it is too late, but for what a link took the place of. */
  forget(): void;
}

type Replaceable = Pick<Form, 'settings' | 'said' | 'fill'> & { readonly seedLocked: Signal<boolean> };

/** @param say to screen readers, at once */
export function createUndo(
  { settings, said, seedLocked, fill }: Replaceable,
  start: StartPictureState,
  say: (words: string) => void,
): Undo {
  const replaced = signal<Replaced | undefined>(undefined);
  /** What the form said right after it was loaded from elsewhere; undefined once something was given by hand. */
  let saidAsLoaded: string | undefined;
  let outlastsClips = false;

  const wayBackTo = (before: Settings, putPictureBack: () => void) => () => {
    saidAsLoaded = undefined; // Redo must lead back to the current form.
    const outlastedClips = outlastsClips;
    replace(() => {
      fill(before.form);
      seedLocked.value = before.seedLocked;
      putPictureBack();
      return 'Your settings are back.';
    }, 'hand');
    outlastsClips = outlastedClips;
  };
  const replace = (act: () => string, source: Source = 'elsewhere') => {
    // A form that is still exactly as it was loaded from elsewhere is skipped: undo goes back to what the visitor had before it.
    const skipped = said.peek() === saidAsLoaded ? replaced.peek() : undefined;
    const takeBack = skipped?.takeBack ?? wayBackTo(settings.peek(), start.remember());
    const words = batch(act);
    replaced.value = { words, takeBack };
    saidAsLoaded = source === 'hand' ? undefined : said.peek();
    outlastsClips = source === 'link' || (outlastsClips && skipped !== undefined);
    say(words);
  };
  return {
    replaced,
    replace,
    offer(words, before, putPictureBack) {
      replaced.value = { words, takeBack: wayBackTo(before, putPictureBack) };
      saidAsLoaded = said.peek();
      outlastsClips = true;
    },
    forget() {
      if (!outlastsClips) replaced.value = undefined;
    },
  };
}
