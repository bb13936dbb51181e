// A clip is begun, by the button, by keys or once more after a failure: what comes into view, and where the keyboard goes.
import type { Session } from './session';

export function begin(session: Session): void {
  if (session.isResting.value) return;
  // A phone's keyboard would cover the progress and Cancel.
  if (matchMedia('(pointer: coarse) and (hover: none)').matches) {
    document.querySelector<HTMLElement>('textarea:focus, input[type=text]:focus')?.blur();
  }
  // On a phone the stage is below the button: bring it into view, unless a message at a control is to be read.
  if (Object.keys(session.errors.value).length === 0 && matchMedia('(max-width: 60rem)').matches) {
    document.querySelector('.stage')?.scrollIntoView({ block: 'start' });
  }
  void session.generate().then((wrong) => {
    if (wrong) document.getElementById(wrong)?.focus();
  });
}
