// The worker's engine, its answers where the finished clip goes away while a file is made of it, and the page at which a clip
// rests. On an engine that only says so.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { defaults, modelTitle } from '../src/options';
import type { EngineWorker } from '../src/protocol';

const hoisted = vi.hoisted(() => ({ exposed: undefined as unknown, openEngine: vi.fn(), generate: vi.fn() }));
vi.mock('comlink', () => ({
  expose: (worker: unknown) => {
    hoisted.exposed = worker;
  },
}));
vi.mock('../src/generate', () => ({ openEngine: hoisted.openEngine, generate: hoisted.generate }));

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
let engine: { clip: unknown };
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
  expect(await worker.animation({ kind: 'apng', side: 256 })).toEqual({ value: file });
});

test('where the next clip took its place, that is told as such', async () => {
  const made = worker.animation({ kind: 'apng', side: 256 });
  engine.clip = packedClip();
  first.finish(undefined);
  expect(await made).toMatchObject({ failure: { code: 'gone', hint: expect.stringContaining('its settings') } });
});

test('where the device went away, no MP4 is promised', async () => {
  const made = worker.animation({ kind: 'apng', side: 256 });
  lose(undefined);
  await vi.waitFor(() => expect(onAdapter).toHaveBeenLastCalledWith(undefined));
  first.finish(undefined);
  const hint = expect.stringContaining('Its MP4, if it has one');
  expect(await made).toMatchObject({ failure: { code: 'device-lost', hint } });
});

describe('the page at which the clip rests', () => {
  /** Pages as they are drawn, from 0. */
  let drawn: number[] = [];
  const shownClip = () => ({
    frames: 8,
    fps: 12,
    show: async (index: number) => void drawn.push(index),
    record: vi.fn(),
  });

  /** Finishes one. */
  async function finish(clip = shownClip()) {
    hoisted.generate.mockImplementationOnce(async function* () {
      yield { type: 'step' };
      engine.clip = clip;
      yield { type: 'done' };
    });
    expect(await worker.generate(defaults, () => undefined)).toEqual({ value: null });
    return clip;
  }

  beforeEach(() => {
    drawn = [];
    worker.setPlaying(false);
  });

  test('is told, and turned on and back, round the loop', async () => {
    await finish();
    const pages = [];
    for (const by of [0, 1, 1, -3]) pages.push(await worker.turn(by));
    expect(pages).toEqual([0, 1, 2, 7].map((value) => ({ value })));
    await vi.waitFor(() => expect(drawn.at(-1)).toBe(7));
  });

  test('is where a moving one was when it was turned, which pauses it', async () => {
    worker.setPlaying(true);
    await finish();
    await vi.waitFor(() => expect(drawn.at(-1)).toBeGreaterThan(0));
    const turned = (await worker.turn(0)) as { value: number };
    expect(turned.value).toBe(drawn.at(-1));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(drawn.at(-1)).toBe(turned.value);
  });

  test('comes back after a clip that is cancelled, but not for the next one', async () => {
    await finish();
    await worker.turn(5);
    let asked: unknown;
    hoisted.generate.mockImplementationOnce(async function* () {
      yield { type: 'step' };
      asked = await worker.turn(0);
      throw new Error('given up');
    });
    vi.spyOn(console, 'error').mockImplementationOnce(() => undefined);
    expect(await worker.generate(defaults, () => undefined)).toMatchObject({ failure: { message: 'given up' } });
    expect([drawn, asked, await worker.turn(0)]).toEqual([[0, 5, 5], { value: 5 }, { value: 5 }]);
    await finish();
    expect([drawn.at(-1), await worker.turn(0)]).toEqual([0, { value: 0 }]);
  });

  test('comes back after the video was made anew', async () => {
    const { record } = await finish();
    await worker.turn(3);
    record.mockResolvedValueOnce({ video: null, codec: null });
    await worker.record(() => undefined);
    expect([drawn, await worker.turn(0)]).toEqual([[0, 3, 3], { value: 3 }]);
  });

  test('where there is no clip there is none, and the next one rests all the same', async () => {
    engine.clip = undefined;
    worker.setPlaying(true);
    expect(await worker.turn(1)).toMatchObject({ failure: { code: 'device-lost' } });
    await finish();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(drawn).toEqual([0]);
  });
});
