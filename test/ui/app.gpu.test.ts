// The whole page on a fake engine: what comes into view, and where the keyboard goes.
import { render } from 'preact';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import { mount } from '../../src/ui/app';
import { createSession, type SessionOptions } from '../../src/ui/session';
import { type FakeEngine, fakeEngine } from './fake-engine';
import { file, pixels, sha256 } from './pictures';
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

function open(hash = '', options: SessionOptions = {}) {
  const session = createSession(engine, { clipStore: emptyStore, hash, ...options });
  mount(document.body, session);
  return session;
}

const find = <Kind extends HTMLElement>(selector: string) => document.querySelector<Kind>(selector)!;
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
  await vi.waitFor(() => expect(isAsked()).toBe(false)); // It is stored.
  await make(engine, session, null);
  expect(isAsked()).toBe(true);
  session.clip.value!.isSaved.value = true;
  expect(isAsked()).toBe(false);
});

/** As the browser sends it: a file that is dragged or pasted. @returns whether the page took it from the browser */
function send(type: string, selector: string, names = ['a.png']): boolean {
  const data = new DataTransfer();
  for (const name of names) data.items.add(file(name));
  const init = { bubbles: true, cancelable: true };
  const sent = type === 'paste' ? new ClipboardEvent(type, init) : new DragEvent(type, { ...init, dataTransfer: data });
  if (type === 'paste') Object.defineProperty(sent, 'clipboardData', { value: data }); // Firefox takes none when it is made.
  return !find(selector).dispatchEvent(sent);
}

const readPicture = async ({ name }: File) => {
  if (name === 'bad.png') throw new FlipbookError('input', 'It shows nothing.');
  return { name, sha256, pixels };
};
/** The page hears what is dropped and pasted after a frame. */
const heard = () => new Promise((resolve) => setTimeout(resolve, 100));

test('what came of a file that was dropped far from the control comes into view', async () => {
  const session = open('', { readPicture });
  await heard();
  expect(send('drop', 'footer')).toBe(true);
  await vi.waitFor(() => expect(scrolled).toEqual(['note']));
  expect(find('.stage .note').textContent).toContain('It is the start picture now.');
  scrolled = [];
  send('drop', 'footer', ['bad.png']);
  await vi.waitFor(() => expect(scrolled).toEqual(['control picture wrong']));
  expect(session.start.picture.value?.name).toBe('a.png');
  scrolled = [];
  send('paste', 'footer');
  await vi.waitFor(() => expect(scrolled.map((name) => name.trim())).toContain('control picture'));
});

test('behind the drawing pad nothing is dropped or pasted, nor opened by the browser', async () => {
  const session = open('', { readPicture });
  await heard();
  const used = vi.spyOn(session, 'usePicture');
  find<HTMLDialogElement>('dialog').showModal();
  expect([send('dragover', 'dialog'), send('drop', 'dialog'), send('paste', 'dialog')]).toEqual([true, true, false]);
  expect([session.dragging.value, used.mock.calls]).toEqual(['none', []]);
  find<HTMLDialogElement>('dialog').close();
  send('paste', 'main');
  await vi.waitFor(() => expect(session.start.picture.value?.name).toBe('a.png'));
});

test('a dragged file is invited until it leaves the page, whatever it passes on its way', async () => {
  const session = open();
  await heard();
  for (const [type, selector, invited] of [
    ['dragenter', 'main', 'none'],
    ['dragover', 'main', 'page'],
    ['dragenter', '.drop', 'page'],
    ['dragleave', 'main', 'page'],
    ['dragover', '.drop', 'control'],
    ['dragleave', '.drop', 'none'],
  ] as const) {
    send(type, selector);
    expect(session.dragging.value, `${type} ${selector}`).toBe(invited);
  }
});

test('a failure before the first clip comes into view where the visitor did something, not where the page met it', async () => {
  engine = fakeEngine({ attachError: { code: 'no-adapter', message: 'none', hint: '' } });
  const session = open();
  await vi.waitFor(() => expect(find('.notice')).not.toBeNull());
  await heard();
  expect(scrolled).toEqual([]);
  session.report(new Error('forbidden'));
  await vi.waitFor(() => expect(scrolled).toEqual(['notice']));
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
