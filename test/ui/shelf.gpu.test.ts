// The shelf in a real page: where the keyboard goes when a clip is removed.
import { h, render } from 'preact';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSession } from '../../src/ui/session';
import { Shelf } from '../../src/ui/shelf';
import { fakeEngine } from './fake-engine';
import { emptyStore, make } from './visit';

beforeEach(() => {
  vi.stubGlobal('confirm', () => true);
});
afterEach(() => {
  vi.unstubAllGlobals();
  render(null, document.body);
});

test('after a removed clip the keyboard is at the next one, after the last one at Generate', async () => {
  const engine = fakeEngine();
  const session = createSession(engine, { clipStore: emptyStore });
  for (let i = 0; i < 3; i++) await make(engine, session);
  const generate = h('p', { class: 'go' }, h('button', { class: 'generate' }));
  render(h('main', null, generate, h(Shelf, { session })), document.body);
  const remove = () => document.querySelector<HTMLElement>('.shelf li .plain')?.click();
  remove();
  await vi.waitFor(() => expect(document.querySelectorAll('.shelf li')).toHaveLength(1));
  await vi.waitFor(() => expect(document.activeElement).toBe(document.querySelector('.shelf li button')));
  remove();
  await vi.waitFor(() => expect(document.querySelector('.shelf')).toBeNull());
  await vi.waitFor(() => expect(document.activeElement).toBe(document.querySelector('.generate')));
});
