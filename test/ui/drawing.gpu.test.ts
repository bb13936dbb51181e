// The drawing pad's strokes, which outlive a reload of the page until they are used or cleared.
import { h, render } from 'preact';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DrawButton } from '../../src/ui/drawing';
import { createSession } from '../../src/ui/session';
import '../../src/ui/style/page.css';
import { fakeEngine } from './fake-engine';
import { emptyStore } from './visit';

const key = 'flipbook:strokes';

beforeEach(() => sessionStorage.clear());
afterEach(() => {
  close();
  vi.restoreAllMocks();
});

const close = () => render(null, document.body);

/** What a reload of the page comes to: all that was in memory is new. */
function open() {
  close();
  const session = createSession(fakeEngine(), { clipStore: emptyStore });
  const used = vi.spyOn(session, 'startFromSketch').mockResolvedValue('taken');
  render(h(DrawButton, { session }), document.body);
  press('Draw one');
  return used;
}

const button = (name: string) =>
  [...document.querySelectorAll('button')].find(({ textContent }) => textContent.trim() === name) as HTMLButtonElement;
const press = (name: string) => button(name).click();
const pad = () => document.querySelector('dialog canvas') as HTMLCanvasElement;

/** A line across the pad at this height, in CSS pixels. */
function stroke(y: number): void {
  const { left, top } = pad().getBoundingClientRect();
  const send = (type: string, x: number, buttons: number) => {
    const at = { clientX: left + x, clientY: top + y, pointerId: 1, buttons };
    pad().dispatchEvent(new PointerEvent(type, { ...at, bubbles: true, cancelable: true }));
  };
  send('pointerdown', 40, 1);
  for (let x = 60; x <= 240; x += 20) send('pointermove', x, 1);
  send('pointerup', 250, 0);
}

/** How much is drawn. */
function drawn(): number {
  const { data } = pad().getContext('2d')!.getImageData(0, 0, pad().width, pad().height);
  return data.filter((value, i) => i % 4 === 3 && value > 0).length;
}

test('strokes are there again after a reload, as many as were left by Undo', async () => {
  open();
  expect([drawn(), button('Use this drawing').ariaDisabled]).toEqual([0, 'true']);
  stroke(50);
  const one = drawn();
  expect(one).toBeGreaterThan(1000);
  stroke(150);
  open();
  expect(drawn()).toBeGreaterThan(1.8 * one);
  await vi.waitFor(() => expect(button('Use this drawing').ariaDisabled).toBe('false'));
  press('Undo');
  open();
  expect(Math.abs(drawn() / one - 1)).toBeLessThan(0.05);
  stroke(200);
  open();
  expect(drawn()).toBeGreaterThan(1.8 * one);
});

test('a drawing that is cleared or used is not found again; what Undo brings back is', async () => {
  open();
  stroke(50);
  press('Clear');
  expect(sessionStorage.getItem(key)).toBeNull();
  press('Undo');
  expect(sessionStorage.getItem(key)).not.toBeNull();
  const used = open();
  press('Use this drawing');
  await vi.waitFor(() => expect(used).toHaveBeenCalled());
  expect(sessionStorage.getItem(key)).toBeNull();
});

test.each([
  ['no JSON', '['],
  ['of another version', '[{"points": [{"x": 1, "y": 1}]}]'],
  ['no list', '{"strokes": {"a": 1}}'],
  ['a list of nothing', '{"strokes": [null]}'],
  ['without points', '{"strokes": [{"penColor": "#000"}]}'],
  ['with no points', '{"strokes": [{"points": []}]}'],
  ['with points of nothing', '{"strokes": [{"points": [null]}]}'],
  ['with points that are nowhere', '{"strokes": [{"points": [{"x": 1}]}]}'],
  [
    'with points that are far away',
    '{"strokes": [{"points": [{"x": 0, "y": 0}, {"x": 1e300, "y": 0}, {"x": 0, "y": 1e300}]}]}',
  ],
  ['of a width below 0', '{"strokes": [{"points": [{"x": 1, "y": 1}], "dotSize": -1}]}'],
])('what is no drawing is none: %s', (_what, stored) => {
  sessionStorage.setItem(key, stored);
  open();
  expect(drawn()).toBe(0);
  stroke(50);
  expect(drawn()).toBeGreaterThan(1000);
});

test('full storage does not get in the way of drawing', () => {
  vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new DOMException('full', 'QuotaExceededError');
  });
  open();
  stroke(50);
  stroke(150);
  press('Undo');
  expect(drawn()).toBeGreaterThan(1000);
});

test('a finger on the sheet does not pull the page', () => {
  open();
  expect(getComputedStyle(document.querySelector('dialog')!).overscrollBehaviorY).toBe('contain');
  expect(getComputedStyle(document.documentElement).overscrollBehaviorY).toBe('none');
  document.querySelector('dialog')!.close();
  expect(getComputedStyle(document.documentElement).overscrollBehaviorY).toBe('auto');
});
