// One step back: what was in the form before settings from elsewhere, or an idea, took its place. Not a history of typing,
// which the text fields have themselves.
import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Form } from './form';
import type { StartPictureState } from './start-picture';

export interface Undo {
  /** Puts it back; undefined while there is nothing to put back. */
  readonly undo: ReadonlySignal<(() => void) | undefined>;
  /** Does what takes the place of the form's text. */
  replacing(act: () => void): void;
  /** From here on it is too late. */
  forget(): void;
}

type Replaceable = Pick<Form, 'settings' | 'fill'> & { readonly seedLocked: Signal<boolean> };

export function createUndo({ settings, seedLocked, fill }: Replaceable, start: StartPictureState): Undo {
  const undo = signal<(() => void) | undefined>(undefined);
  const forget = () => {
    undo.value = undefined;
  };
  return {
    undo,
    forget,
    replacing(act) {
      const [before, picture] = [settings.peek(), start.picture.peek()];
      act();
      undo.value = () => {
        batch(() => {
          fill(before.form);
          seedLocked.value = before.seedLocked;
          start.putBack(picture);
        });
        forget();
      };
    },
  };
}
