// One step back: what was in the form before settings from elsewhere, or an idea, took its place; and from there forth again.
// Not a history of typing, which the text fields have themselves.
import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Form } from './form';
import type { StartPictureState } from './start-picture';

/** What took the form's place, in words, and the way back. */
export interface Replaced {
  readonly words: string;
  takeBack(): void;
}

export interface Undo {
  readonly replaced: ReadonlySignal<Replaced | undefined>;
  /** Does what takes the place of the form's text. @param act says what it did */
  replace(act: () => string): void;
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
  const replace = (act: () => string) => {
    const [before, picture] = [settings.peek(), start.picture.peek()];
    const words = act();
    const takeBack = () =>
      replace(() => {
        batch(() => {
          fill(before.form);
          seedLocked.value = before.seedLocked;
          start.putBack(picture);
        });
        return 'Your settings are back.';
      });
    replaced.value = { words, takeBack };
    say(words);
  };
  const forget = () => {
    replaced.value = undefined;
  };
  return { replaced, replace, forget };
}
