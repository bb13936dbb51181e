// Page entry: wires the page to the engine's worker, nothing else.
import { createEngineClient } from './engine-client';
import { mount } from './ui/app';
import { createSession } from './ui/session';

const session = createSession(createEngineClient(), {
  hash: location.hash,
  reducedMotion: matchMedia('(prefers-reduced-motion: reduce)').matches,
});
const root = document.getElementById('app');
if (root) mount(root, session);
