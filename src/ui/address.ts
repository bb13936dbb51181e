// The link in the page's address: it fills the form when the page opens or when another one is pasted, and leaves the address
// once the form has moved on, so that a reload brings back what was typed since. What links say is options.ts's.
import { effect } from '@preact/signals';
import { fields } from '../options';
import type { Session } from './session';

export function followAddress(session: Session): void {
  const { picture, missing } = session.start;
  const said = () =>
    [...fields.map((field) => session.form[field].value), picture.value?.sha256, missing.value].join('\n');
  let before = said();
  effect(() => {
    const now = said();
    if (now !== before && location.hash && !session.borrowed.value)
      history.replaceState(null, '', location.pathname + location.search);
    before = now;
  });
  addEventListener('hashchange', () => session.openLink(location.hash));
}
