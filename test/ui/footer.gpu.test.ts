// What the small print says of what is stored: how much, whether the last clip is, and what goes when it is cleared.
import { h, render } from 'preact';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { storeChanges } from '../../src/ui/clip-store';
import { Footer } from '../../src/ui/footer';
import { createSession } from '../../src/ui/session';
import { type FakeEngine, fakeEngine } from './fake-engine';
import { make } from './visit';

const clear = () => caches.delete('flipbook-clips');
const words = () => document.querySelector('footer')?.textContent ?? '';
const press = (name: string) =>
  [...document.querySelectorAll<HTMLElement>('footer button')].find(({ textContent }) => textContent === name)?.click();

let engine: FakeEngine;
beforeEach(async () => {
  await clear();
  engine = fakeEngine();
});
afterEach(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  render(null, document.body);
  await clear();
});

function open() {
  const session = createSession(engine);
  render(h(Footer, { session }), document.body);
  return session;
}

test('the size is that after the last clip was stored, however long that takes', async () => {
  const { put } = Cache.prototype;
  vi.spyOn(Cache.prototype, 'put').mockImplementation(async function (this: Cache, request, response) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await put.call(this, request, response);
  });
  vi.spyOn(navigator.storage, 'estimate').mockImplementation(async () => {
    const cache = await caches.open('flipbook-clips');
    return { usage: 1e6 * (1 + (await cache.keys()).length) };
  });
  const session = open();
  await vi.waitFor(() => expect(words()).toContain('(1.0 MB now)'));
  await make(engine, session);
  await vi.waitFor(() => expect(words()).toContain('(2.0 MB now)'), 3000);
  await make(engine, session);
  await vi.waitFor(() => expect(words()).toContain('(3.0 MB now)'), 3000);
  await session.earlier.remove(session.earlier.clips.value[0]!);
  await vi.waitFor(() => expect(words()).toContain('(2.0 MB now)'), 3000);
});

test('a clip that the browser did not take is said not to be stored, until the next one is', async () => {
  const full = vi.spyOn(Cache.prototype, 'put').mockRejectedValue(new DOMException('no room', 'QuotaExceededError'));
  const session = open();
  await make(engine, session);
  await vi.waitFor(() => expect(words()).toContain('Your last clip is not stored: the browser did not take it'));
  full.mockRestore();
  await make(engine, session);
  await vi.waitFor(() => expect(words()).not.toContain('Your last clip is not stored'));
});

test('a clip without an MP4 is said not to be stored', async () => {
  const session = open();
  await make(engine, session, null);
  await vi.waitFor(() => expect(words()).toContain('Your last clip is not stored: it has no MP4.'));
  await make(engine, session);
  await vi.waitFor(() => expect(words()).not.toContain('Your last clip is not stored'));
});

test('all that goes is said before it is cleared; then no browser is blamed for it', async () => {
  const confirm = vi.fn(() => false);
  vi.stubGlobal('confirm', confirm);
  const session = open();
  const before = storeChanges.value;
  await make(engine, session);
  await vi.waitFor(() => expect(storeChanges.value).toBeGreaterThan(before));
  press('Clear it');
  expect(confirm).toHaveBeenCalledWith(
    'Remove your settings and start picture, your last 9 clips with theirs, this machine’s speed, the page and the model from this browser?',
  );
  confirm.mockReturnValue(true);
  press('Clear it');
  await vi.waitFor(() => expect(words()).toContain('Cleared:'));
  expect(words()).not.toContain('is not stored');
});

test('Clear it clears nothing while a clip is made, and keeps the keyboard', async () => {
  const confirm = vi.fn(() => false);
  vi.stubGlobal('confirm', confirm);
  const session = open();
  const button = document.querySelector<HTMLButtonElement>('footer button')!;
  button.focus();
  const run = session.generate();
  await vi.waitFor(() => expect(button.ariaDisabled).toBe('true'));
  button.click();
  expect([document.activeElement, confirm.mock.calls]).toEqual([button, []]);
  engine.end();
  await run;
  await vi.waitFor(() => expect(button.ariaDisabled).toBe('false'));
  button.click();
  expect(confirm).toHaveBeenCalled();
});
