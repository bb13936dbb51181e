// Mounts the page on the fake engine and leaves both on `window`, to look at any state of it by hand.
import { mount } from '../../src/ui/app';
import { createSession } from '../../src/ui/session';
import { fakeEngine } from './fake-engine';

const attachError = new URLSearchParams(location.search).has('nogpu') && {
  code: 'no-webgpu',
  message: 'none',
  hint: '',
};
const engine = fakeEngine({ attachError: attachError || undefined });
const session = createSession(engine, { hash: location.hash });
mount(document.getElementById('app') as Element, session);
Object.assign(window, { engine, session });
