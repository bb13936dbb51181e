// What a command hears of the page that it drives: events, failures and a crash. The page is made up.
import type { Page } from 'playwright-core';
import { afterEach, expect, test, vi } from 'vitest';
import { listen } from '../../scripts/page.mjs';

afterEach(() => void vi.unstubAllGlobals());

interface Told {
  readonly type: 'step' | 'done' | 'failure';
  readonly text?: string;
}

async function heard() {
  const site = new EventTarget();
  let crash = () => {};
  const page = {
    on: (_name: 'crash', listener: () => void) => {
      crash = listener;
    },
    exposeFunction: async (name: string, listener: (detail: unknown) => void) => {
      vi.stubGlobal('window', { [name]: listener });
    },
    addInitScript: async (script: (argument: string) => void, argument: string) => {
      vi.stubGlobal('addEventListener', site.addEventListener.bind(site));
      script(argument);
    },
  };
  const events: Told[] = [];
  const onEvent = (event: Told): string | undefined => {
    events.push(event);
    if (event.type === 'failure') throw new Error(event.text);
    return event.type === 'done' ? event.text : undefined;
  };
  const listening = await listen(page as unknown as Page, 'clip', onEvent, 'it crashed');
  const tell = (detail: Told, name = 'clip') => site.dispatchEvent(Object.assign(new Event(name), { detail }));
  return { ...listening, events, tell, crash: () => crash() };
}

const isPending = async (promise: Promise<unknown>) =>
  (await Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 5, 'pending'))])) === 'pending';

test('events of that name are heard, until one of them gives a result', async () => {
  const { finished, failing, events, tell } = await heard();
  tell({ type: 'step' });
  tell({ type: 'done', text: 'of another name' }, 'other');
  expect(events).toEqual([{ type: 'step' }]);
  expect(await isPending(finished)).toBe(true);
  tell({ type: 'done', text: 'a clip' });
  expect(await finished).toBe('a clip');
  expect(await isPending(failing)).toBe(true);
});

test('a failure before the result takes its place', async () => {
  const { finished, failing, tell } = await heard();
  tell({ type: 'failure', text: 'no room' });
  tell({ type: 'done', text: 'a clip' });
  await expect(failing).rejects.toThrow('no room');
  await expect(finished).rejects.toThrow('no room');
});

test('a failure after the result is told as well, and costs nobody anything who does not wait for one', async () => {
  const { finished, failing, tell } = await heard();
  tell({ type: 'done', text: 'a clip' });
  tell({ type: 'failure', text: 'no file' });
  expect(await finished).toBe('a clip');
  await expect(failing).rejects.toThrow('no file');
});

test('a crash is a failure', async () => {
  const { finished, crash } = await heard();
  crash();
  await expect(finished).rejects.toThrow('it crashed');
});
