// The shelf in a real page: what it shows and saves of each clip, what it says is kept, and where the keyboard goes when one is removed.
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

test('a clip shows its first frame, and is saved as it is', async () => {
  const engine = fakeEngine();
  const session = createSession(engine, { clipStore: emptyStore });
  for (let i = 0; i < 2; i++) await make(engine, session);
  render(h(Shelf, { session }), document.body);
  const saved: string[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    saved.push(this.href);
  });
  document.querySelector<HTMLElement>('.shelf li .quiet')?.click();
  const [clip] = session.earlier.clips.value;
  expect(document.querySelector('video')?.src).toBe(`${clip?.address}#t=0.001`);
  expect([saved, clip?.isSaved.value]).toEqual([[clip?.address], true]);
  vi.restoreAllMocks();
});

test('which clips are not stored is said of each', async () => {
  const engine = fakeEngine();
  let stored = 0;
  const keep = async () => (stored++ === 1 ? undefined : `clip ${stored}`);
  const session = createSession(engine, { clipStore: { ...emptyStore, keep } });
  render(h(Shelf, { session }), document.body);
  const said = () => [
    document.querySelector('.shelf .help')?.textContent,
    [...document.querySelectorAll('.shelf li')].map((clip) => clip.textContent.includes('(not stored)')),
  ];
  for (let i = 0; i < 2; i++) await make(engine, session);
  await vi.waitFor(() => expect(said()).toEqual([expect.stringMatching(/^These stay in this browser/), [false]]));
  await make(engine, session);
  const some = expect.stringMatching(/^Those that are not stored are gone/);
  await vi.waitFor(() => expect(said()).toEqual([some, [true, false]]));
  await session.clearStored();
  await vi.waitFor(() => expect(said()).toEqual([some, [true, true]]));
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
