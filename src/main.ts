// Page entry: wires the page to the engine's worker, and asks the browser to keep the page for visits without a network.
import { createEngineClient } from './engine-client';
import { mount } from './ui/app';
import { createSession } from './ui/session';

const session = createSession(createEngineClient(), {
  hash: location.hash,
  reducedMotion: matchMedia('(prefers-reduced-motion: reduce)').matches,
});
const root = document.getElementById('app');
if (root) mount(root, session);

// A browser that refuses (a private window, plain http) opens the page from the network as ever.
if (import.meta.env.PROD) navigator.serviceWorker?.register('./service-worker.js').catch(() => undefined);
