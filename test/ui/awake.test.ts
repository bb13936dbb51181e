// The screen stays on while something is in the making, and never longer.
import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keepAwake } from '../../src/ui/awake';

let working = signal(false);
/** Locks that are held. */
let held = 0;
let request = vi.fn();

const page = new EventTarget() as EventTarget & { visibilityState: string };
const turn = async (state: string) => {
  page.visibilityState = state;
  page.dispatchEvent(new Event('visibilitychange'));
  await settled();
};
/** On the signal of this test: those of the others are still listening. */
const open = () => {
  const mine = working;
  keepAwake(() => mine.value);
};
const settled = () => new Promise((resolve) => setTimeout(resolve));

beforeEach(() => {
  held = 0;
  working = signal(false);
  page.visibilityState = 'visible';
  request = vi.fn(async () => {
    held++;
    return { release: async () => void held-- };
  });
  vi.stubGlobal('document', page);
  vi.stubGlobal('navigator', { wakeLock: { request: (kind: string) => request(kind) } });
});
afterEach(() => vi.unstubAllGlobals());

test('from the beginning of a run to its end, and anew when the page comes back into view', async () => {
  open();
  await turn('visible');
  expect(request).not.toHaveBeenCalled();
  working.value = true;
  await settled();
  expect(request.mock.calls).toEqual([['screen']]);
  expect(held).toBe(1);
  await turn('hidden');
  expect(request).toHaveBeenCalledTimes(1);
  await turn('visible');
  expect(request).toHaveBeenCalledTimes(2);
  working.value = false;
  await settled();
  expect(held).toBe(0);
  await turn('visible');
  expect(request).toHaveBeenCalledTimes(2);
});

test('a lock that comes after the end is given back', async () => {
  open();
  working.value = true;
  working.value = false;
  await settled();
  expect([request.mock.calls.length, held]).toEqual([1, 0]);
});

test.each([
  ['absent', {}],
  ['refused', { wakeLock: { request: () => Promise.reject(new DOMException('no', 'NotAllowedError')) } }],
])('where it is %s nothing happens', async (_what, navigator) => {
  vi.stubGlobal('navigator', navigator);
  open();
  working.value = true;
  await settled();
  working.value = false;
  await settled();
});
