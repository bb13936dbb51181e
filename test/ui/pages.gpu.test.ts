// The finished clip's pages in a real page: the buttons and arrow keys that turn them, where it says which one is shown, and room for
// all that on a phone.
import { render } from 'preact';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { page } from 'vitest/browser';
import { mount } from '../../src/ui/app';
import { createSession } from '../../src/ui/session';
import '../../src/ui/style/page.css';
import { type FakeEngine, fakeEngine } from './fake-engine';
import { emptyStore, make } from './visit';

let engine: FakeEngine;
beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
  engine = fakeEngine();
});
afterEach(() => render(null, document.body));
afterAll(() => page.viewport(414, 896));

function open() {
  const session = createSession(engine, { clipStore: emptyStore });
  mount(document.body, session);
  return session;
}

const find = (selector: string) => document.querySelector<HTMLElement>(selector)!;
const buttons = () => [...document.querySelectorAll<HTMLButtonElement>('.transport button')];
const button = (name: string) =>
  buttons().find(({ ariaLabel, textContent }) => (ariaLabel ?? textContent).trim().startsWith(name))!;
const turns = () => engine.log.filter((line) => line.startsWith('turn'));
/** Wherever the page says it. */
const says = (words: string) =>
  vi.waitFor(() => {
    expect(find('.caption').textContent).toContain(words);
    expect(find('.leaf [role=img]').ariaLabel).toContain(words);
    expect(find('.stage [role=status]').textContent).toContain(words);
  });

test('two buttons turn the pages and pause; Start from page 1 is then Start from this page', async () => {
  const session = open();
  await vi.waitFor(() => expect(button('Next page').disabled).toBe(true));
  await make(engine, session);
  await vi.waitFor(() => expect(button('Next page').disabled).toBe(false));
  expect([button('Pause'), button('Start from page 1')]).not.toContain(undefined);
  button('Next page').click();
  await says('Page 2 of 36');
  expect([button('Play'), button('Start from this page')]).not.toContain(undefined);
  button('Previous page').click();
  await says('Page 1 of 36');
  button('Previous page').click();
  await says('Page 36 of 36');
  button('Play').click();
  await vi.waitFor(() => expect(button('Start from page 1')).toBeDefined());
  expect(find('.caption').textContent).not.toContain('Page');
});

test('they keep the keyboard while a clip is made, and turn nothing', async () => {
  const session = open();
  await make(engine, session);
  const run = session.generate();
  await vi.waitFor(() => expect(button('Next page').ariaDisabled).toBe('true'));
  for (const name of ['Next page', 'Previous page']) {
    expect(button(name).disabled).toBe(false);
    button(name).click();
  }
  expect(turns()).toEqual([]);
  engine.end();
  await run;
});

test('so do arrow keys, held down too, where they mean nothing else', async () => {
  const session = open();
  /** @returns whether the browser was kept from scrolling */
  const press = (selector: string, keys: KeyboardEventInit) =>
    !find(selector).dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...keys }));
  await new Promise((resolve) => setTimeout(resolve, 100)); // Effects come after a frame.
  expect(press('body', { key: 'ArrowRight' })).toBe(false); // There is no clip.
  await make(engine, session);
  expect(press('body', { key: 'ArrowRight' })).toBe(true);
  expect(press('.generate', { key: 'ArrowRight', repeat: true })).toBe(true);
  expect(press('.transport .tool', { key: 'ArrowLeft' })).toBe(true);
  await says('Page 2 of 36');
  await make(engine, session);
  await vi.waitFor(() => expect(find('.shelf li')).not.toBeNull());
  // In fields, and in rows that they scroll.
  for (const place of ['#prompt', '#frames', '#sampler', '#picture', '.ideas button', '.shelf li button']) {
    expect(press(place, { key: 'ArrowRight' }), place).toBe(false);
  }
  for (const key of ['altKey', 'ctrlKey', 'metaKey', 'shiftKey']) {
    expect(press('body', { key: 'ArrowLeft', [key]: true }), key).toBe(false);
  }
  expect(press('body', { key: 'ArrowUp' })).toBe(false);
  expect(turns()).toEqual(['turn 1', 'turn 1', 'turn -1']);
});

test.each([320, 360, 480, 600, 960, 1280])('all buttons have room on a page %i pixels wide', async (width) => {
  await page.viewport(width, 800);
  const session = open();
  session.edit('seed', '4294967295');
  await make(engine, session);
  session.turn(9);
  await says('Page 10 of 36');
  const { left, right } = find('.transport').getBoundingClientRect();
  const boxes = buttons().map((each) => each.getBoundingClientRect());
  for (const [i, box] of boxes.entries()) {
    expect(box.left).toBeGreaterThanOrEqual(left - 1);
    expect(box.right).toBeLessThanOrEqual(right + 1);
    expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(36);
    for (const other of boxes.slice(i + 1)) {
      expect(other.left >= box.right || other.top >= box.bottom || other.bottom <= box.top).toBe(true);
    }
  }
  const [previous, play, next] = ['Previous page', 'Play', 'Next page'].map((name) =>
    button(name).getBoundingClientRect(),
  ) as [DOMRect, DOMRect, DOMRect];
  expect([play.top, next.top]).toEqual([previous.top, previous.top]);
  expect(play.left).toBeGreaterThan(previous.right);
  expect(next.left).toBeGreaterThan(play.right);
  expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
});
