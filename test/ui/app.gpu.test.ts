// The whole page on a fake engine: what comes into view, and where the keyboard goes.
import { render } from 'preact';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { mount } from '../../src/ui/app';
import { createSession } from '../../src/ui/session';
import { type FakeEngine, fakeEngine } from './fake-engine';
import { emptyStore } from './visit';

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
