// The whole page on a fake engine: what comes into view, and where the keyboard goes.
import { render } from 'preact';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { mount } from '../../src/ui/app';
import { createSession } from '../../src/ui/session';
import { type FakeEngine, fakeEngine } from './fake-engine';
import { emptyStore, make } from './visit';

let engine: FakeEngine;
let scrolled: string[] = [];

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
  engine = fakeEngine();
  scrolled = [];
  vi.spyOn(Element.prototype, 'scrollIntoView').mockImplementation(function (this: Element) {
    scrolled.push(this.className);
  });
});
afterEach(() => {
  render(null, document.body);
  vi.restoreAllMocks();
});

function open(hash = '') {
  const session = createSession(engine, { clipStore: emptyStore, hash });
  mount(document.body, session);
  return session;
}

const find = (selector: string) => document.querySelector<HTMLElement>(selector)!;
const undo = () => find('.go .note button');

test('the way back comes into view wherever the keyboard is, but not where the page begins with it', async () => {
  localStorage.setItem('flipbook:settings', '{"prompt":"a fox"}');
  const session = open('#prompt=a+rocket');
  await vi.waitFor(() => expect(undo()).not.toBeNull());
  await new Promise(requestAnimationFrame);
  await new Promise((resolve) => setTimeout(resolve, 100)); // Effects come after a frame.
  expect(scrolled).toEqual([]);
  expect(document.activeElement).toBe(document.body);
  session.suggest('an owl');
  await vi.waitFor(() => expect(scrolled).toEqual(['note']));
});

test('what stands in index.html for browsers that do not get this far goes', () => {
  document.body.append(Object.assign(document.createElement('p'), { className: 'unopened' }));
  open();
  expect(find('.unopened')).toBeNull();
  expect(find('.go .generate')).not.toBeNull();
});

test('Cancel shows that it was heard; it stays for a second click, and no key begins anything', async () => {
  const session = open();
  find('.go .generate').click();
  await vi.waitFor(() => expect(find('.go .cancel')).not.toBeNull());
  const answer = engine.cancel;
  engine.cancel = () => undefined;
  find('.go .cancel').focus();
  find('.go .cancel').click();
  await vi.waitFor(() => expect(find('.go .cancel').ariaDisabled).toBe('true'));
  expect(find('.progress .words').textContent).toBe('Cancelling…');
  expect(document.activeElement).toBe(find('.go .cancel'));
  const stayed: boolean[] = [];
  session.isResting.subscribe((isResting) => {
    if (!isResting) return;
    find('.go .generate').click();
    setTimeout(() => stayed.push(find('.go .cancel') !== null), 100);
  });
  answer();
  await vi.waitFor(() => expect(stayed).toEqual([true]));
  await vi.waitFor(() => expect(find('.go .cancel')).toBeNull());
  expect(document.activeElement).toBe(find('.go .generate'));
  await vi.waitFor(() => expect(find('.go .generate').ariaDisabled).toBe('false'));
  expect(engine.asked).toHaveLength(1);
  find('.go .generate').click();
  await vi.waitFor(() => expect(engine.asked).toHaveLength(2));
  engine.end();
});

test('a key that is held down presses nothing again', async () => {
  open();
  const isLost = (selector: string, keys: KeyboardEventInit) =>
    !find(selector).dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...keys }));
  const enter = { key: 'Enter', repeat: true };
  await vi.waitFor(() => expect(isLost('.go .generate', enter)).toBe(true)); // Effects come after a frame.
  expect(isLost('#frames', enter)).toBe(true);
  expect(isLost('#prompt', { ...enter, ctrlKey: true })).toBe(true);
  expect(isLost('#prompt', { ...enter, shiftKey: true })).toBe(false); // New lines.
  expect(isLost('#frames', { key: 'ArrowRight', repeat: true })).toBe(false);
  expect(engine.asked).toEqual([]);
});

test('leaving is asked about while a clip is made, and while one would be gone of which nothing was saved', async () => {
  const session = open();
  const isAsked = () => !dispatchEvent(new Event('beforeunload', { cancelable: true }));
  const run = session.generate();
  await vi.waitFor(() => expect(isAsked()).toBe(true));
  engine.end();
  await run;
  expect(isAsked()).toBe(false);
  await make(engine, session);
  expect(isAsked()).toBe(false); // It is stored.
  await make(engine, session, null);
  expect(isAsked()).toBe(true);
  session.noteSaved(session.clip.value!);
  expect(isAsked()).toBe(false);
});

test('Control+Enter at Undo starts a clip, and the keyboard goes to Generate', async () => {
  const session = open();
  session.suggest('an owl');
  await vi.waitFor(() => expect(undo()).not.toBeNull());
  undo().focus();
  undo().click(); // It stays, to take that back, too.
  await vi.waitFor(() => expect(find('.go .note').textContent).toContain('back'));
  expect(document.activeElement).toBe(undo());
  undo().dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', ctrlKey: true, bubbles: true }));
  await vi.waitFor(() => expect(undo()).toBeNull());
  expect(engine.asked).toHaveLength(1);
  expect(document.activeElement).toBe(find('.go .generate'));
  find('.go .cancel').focus();
  engine.end();
  await vi.waitFor(() => expect(find('.go .cancel')).toBeNull());
  expect(document.activeElement).toBe(find('.go .generate'));
});
