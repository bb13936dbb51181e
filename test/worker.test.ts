// The worker's engine, and its answers where the finished clip goes away while a file is made of it. On an engine that only
// says so.
import { beforeEach, expect, test, vi } from 'vitest';
import { modelTitle } from '../src/options';
import type { EngineWorker } from '../src/protocol';

const hoisted = vi.hoisted(() => ({ exposed: undefined as unknown, openEngine: vi.fn() }));
vi.mock('comlink', () => ({
  expose: (worker: unknown) => {
    hoisted.exposed = worker;
  },
}));
vi.mock('../src/generate', () => ({ openEngine: hoisted.openEngine }));

/** A promise that the test keeps. */
function later<T>() {
  let keep = (_value: T): void => undefined;
  const promise = new Promise<T>((resolve) => {
    keep = resolve;
  });
  return { promise, keep };
}

function packedClip() {
  const { promise, keep } = later<Blob | undefined>();
  return { animation: () => promise, finish: keep };
}

const onAdapter = vi.fn();
let lose: (value: undefined) => void;
let worker: EngineWorker;
let engine: { clip: ReturnType<typeof packedClip> };
let first: ReturnType<typeof packedClip>;

beforeEach(async () => {
  vi.resetModules();
  const lost = later<undefined>();
  lose = lost.keep;
  first = packedClip();
  const gpu = { isSoftware: true, lost: lost.promise };
  engine = { clip: first };
  const opened = Object.assign(engine, { gpu, adapterName: 'none', dispose: () => undefined });
  hoisted.openEngine.mockResolvedValue(opened);
  await import('../src/worker');
  worker = hoisted.exposed as EngineWorker;
  await worker.attach({} as OffscreenCanvas, '', onAdapter);
});

test('the engine takes the model that links and files name', () => {
  expect(hoisted.openEngine).toHaveBeenCalledWith(expect.objectContaining({ title: modelTitle }));
});

test('the file, where all goes well', async () => {
  const file = new Blob(['apng']);
  first.finish(file);
  expect(await worker.animation(256)).toEqual({ value: file });
});

test('where the next clip took its place, that is told as such', async () => {
  const made = worker.animation(256);
  engine.clip = packedClip();
  first.finish(undefined);
  expect(await made).toMatchObject({ failure: { code: 'gone', hint: expect.stringContaining('its settings') } });
});

test('where the device went away, no MP4 is promised', async () => {
  const made = worker.animation(256);
  lose(undefined);
  await vi.waitFor(() => expect(onAdapter).toHaveBeenLastCalledWith(undefined));
  first.finish(undefined);
  const hint = expect.stringContaining('Its MP4, if it has one');
  expect(await made).toMatchObject({ failure: { code: 'device-lost', hint } });
});
