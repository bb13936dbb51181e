// The page's side of the engine's worker: what it asks, of which worker, and when. On a fake worker at the end of a real channel.
import { expose } from 'comlink';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createEngineClient } from '../src/engine-client';
import { defaults } from '../src/options';
import type { EngineWorker } from '../src/protocol';

const done = async () => ({ value: null });
let asked: string[] = [];
/** Whether clips move, as workers were told. */
let playing: boolean[] = [];
let workers: FakeWorker[] = [];
/** Waits before a worker says that it is attached. */
let opening: Promise<void> = Promise.resolve();

class FakeWorker extends EventTarget {
  readonly #channel = new MessageChannel();

  constructor() {
    super();
    workers.push(this);
    const { port1, port2 } = this.#channel;
    port1.onmessage = ({ data }) => this.dispatchEvent(new MessageEvent('message', { data }));
    const name = workers.length;
    const worker: Partial<EngineWorker> = {
      attach: async () => {
        asked.push(`attach ${name}`);
        await opening;
        return { value: null };
      },
      generate: () => {
        asked.push(`generate ${name}`);
        return done();
      },
      cancel: () => void asked.push(`cancel ${name}`),
      setPlaying: (value) => void playing.push(value),
      turn: async (by) => ({ value: 2 + by }),
    };
    expose(worker, port2);
  }

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    this.#channel.port1.postMessage(message, transfer);
  }

  terminate(): void {
    this.#channel.port1.close();
  }
}

/** An error that nothing in the worker caught. */
const stop = (worker: FakeWorker | undefined) =>
  worker?.dispatchEvent(Object.assign(new Event('error'), { message: 'on purpose' }));

const element = { replaceChildren: () => undefined } as unknown as HTMLElement;
const ignore = () => undefined;

beforeEach(() => {
  asked = [];
  playing = [];
  workers = [];
  opening = Promise.resolve();
  vi.stubGlobal('Worker', FakeWorker);
  vi.stubGlobal('navigator', { gpu: {} });
  vi.stubGlobal('GPUAdapter', { prototype: { info: {} } });
  vi.stubGlobal('document', {
    baseURI: 'http://localhost/',
    createElement: () => ({ transferControlToOffscreen: () => new ArrayBuffer(8) }),
  });
});

afterEach(() => {
  for (const worker of workers) worker.terminate();
  vi.unstubAllGlobals();
});

test('after a worker that stopped, the next clip is made by another', async () => {
  const engine = createEngineClient();
  await engine.attach(element, ignore);
  await engine.generate(defaults, ignore);
  stop(workers[0]);
  await expect(engine.still()).rejects.toMatchObject({ code: 'stopped', message: 'on purpose' });
  await engine.generate(defaults, ignore);
  expect(asked).toEqual(['attach 1', 'generate 1', 'attach 2', 'generate 2']);
});

test('a worker whose script did not load, for a newer page perhaps, asks for a reload', async () => {
  const engine = createEngineClient();
  await engine.attach(element, ignore);
  workers[0]?.dispatchEvent(new Event('error'));
  await expect(engine.still()).rejects.toMatchObject({
    code: 'stopped',
    message: 'Its script did not load.',
    hint: expect.stringMatching(/^Reload the page/),
  });
});

test('a clip whose page was turned is paused, and so is that of the next worker', async () => {
  const engine = createEngineClient();
  await engine.attach(element, ignore);
  expect(await engine.turn(1)).toBe(3);
  stop(workers[0]);
  await engine.generate(defaults, ignore);
  expect(playing).toEqual([true, false]);
});

test('a worker that stopped has no adapter any more, which is told once', async () => {
  const engine = createEngineClient();
  const adapters: unknown[] = [];
  await engine.attach(element, (adapter) => void adapters.push(adapter));
  expect(adapters).toEqual([]);
  stop(workers[0]);
  expect(adapters).toEqual([undefined]);
  await engine.generate(defaults, ignore);
  stop(workers[0]); // It is another’s turn now.
  expect(adapters).toEqual([undefined]);
});

test('Cancel while another worker is being opened is not forgotten, and holds for that run alone', async () => {
  const engine = createEngineClient();
  await engine.attach(element, ignore);
  stop(workers[0]);
  let open: () => void = ignore;
  opening = new Promise((resolve) => {
    open = resolve;
  });
  const run = engine.generate(defaults, ignore);
  await vi.waitFor(() => expect(asked).toContain('attach 2'));
  engine.cancel();
  await expect(run).rejects.toMatchObject({ code: 'cancelled' }); // before it is open
  open();
  expect(asked).not.toContain('generate 2');
  await engine.generate(defaults, ignore);
  expect(asked.at(-1)).toBe('generate 2');
});

test.each([
  ['navigator', {}, 'navigator.gpu is missing'],
  ['GPUAdapter', { prototype: {} }, 'GPUAdapter.info is missing'],
])('a browser whose %s is %j has no WebGPU that would do', async (name, value, message) => {
  vi.stubGlobal(name, value);
  const attached = createEngineClient().attach(element, ignore);
  await expect(attached).rejects.toMatchObject({ code: 'no-webgpu', message });
  expect(asked).toEqual([]);
});
