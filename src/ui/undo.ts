// One step back, to what was in the form before settings from elsewhere, an idea or another start picture took its place; and
// one forward again.
// Not a history of typing, which the text fields have themselves.
import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Form } from './form';
import type { Settings } from './settings';
import type { StartPictureState } from './start-picture';

/** What took the form's place, in words, and the way back. */
export interface Replaced {
  readonly words: string;
  takeBack(): void;
}

export interface Undo {
  readonly replaced: ReadonlySignal<Replaced | undefined>;
  /** Does what takes the place of what is in the form. @param act says what it did */
  replace(act: () => string): void;
  /** The same for what takes a while: call it before, and what it returns after. */
  remember(): (words: string) => void;
  /** For what took the place of `before` when the page was opened: the way back, without a word to screen readers. */
  offer(words: string, before: Settings, putPictureBack: () => void): void;
  /** From here on it is too late. */
  forget(): void;
}

type Replaceable = Pick<Form, 'settings' | 'fill'> & { readonly seedLocked: Signal<boolean> };

/** @param say to screen readers, at once */
export function createUndo(
  { settings, seedLocked, fill }: Replaceable,
  start: StartPictureState,
  say: (words: string) => void,
): Undo {
  const replaced = signal<Replaced | undefined>(undefined);
  const offer = (words: string, before: Settings, putPictureBack: () => void) => {
    const takeBack = () =>
      replace(() => {
        batch(() => {
          fill(before.form);
          seedLocked.value = before.seedLocked;
          putPictureBack();
        });
        return 'Your settings are back.';
      });
    replaced.value = { words, takeBack };
  };
  const remember = () => {
    const before = settings.peek();
    const putPictureBack = start.remember();
    return (words: string) => {
      offer(words, before, putPictureBack);
      say(words);
    };
  };
  const replace = (act: () => string) => {
    const replacedBy = remember();
    replacedBy(act());
  };
  const forget = () => {
    replaced.value = undefined;
  };
  return { replaced, replace, remember, offer, forget };
}
