// Stories: a clip that leads from one scene to the next and back to the first, each scene's picture in its place.
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { maskOutside } from '../../src/engine/given';
import { Stage } from '../../src/engine/stage';
import type { GenerateEvent } from '../../src/events';
import { type Engine, generate, openEngine } from '../../src/generate';
import type { Tensor } from '../../src/gpu/tensor';
import type { Pixels } from '../../src/media/pixels';
import type { GenerateOptions } from '../../src/options';
import { readTensor } from '../gpu';
import { all, done, modelUrl, options } from './tiny';

let engine: Engine;

beforeAll(async () => {
  engine = await openEngine({ canvas: new OffscreenCanvas(1, 1), modelUrl });
});

afterEach(() => void vi.restoreAllMocks());
afterAll(() => engine?.dispose());

const story: GenerateOptions = { ...options, prompt: 'egg > chick > rooster', frames: 28, steps: 2 };
const channels = 40; // of the small model's latents
const size = 16 * 16 * channels;

const read = (tensor: Tensor) => readTensor(engine.gpu, tensor);

interface Run {
  readonly words: readonly number[];
  readonly latents: Float32Array;
  readonly pictures: Float32Array;
  readonly mask: Float32Array;
}

/** What each run of a stage was told, and what it made. */
function watch(): Run[] {
  const runs: Run[] = [];
  const words: (readonly number[])[] = [];
  const { start, checkFinite } = Stage.prototype;
  vi.spyOn(Stage.prototype, 'start').mockImplementation(function (this: Stage, given, signal) {
    words.push(given.prompt.ids);
    return start.call(this, given, signal);
  });
  vi.spyOn(Stage.prototype, 'checkFinite').mockImplementation(async function (this: Stage) {
    const [latents, pictures, mask] = [
      await read(this.latents),
      await read(this.given.pictures),
      await read(this.given.mask),
    ];
    runs.push({ words: words.at(-1) ?? [], latents, pictures, mask });
    return checkFinite.call(this);
  });
  return runs;
}

/** Up to its first frame: all stages are through by then. */
async function sampleOnly(asked: GenerateOptions, picture?: Pixels): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = [];
  for await (const event of generate(engine, asked, undefined, picture)) {
    events.push(event);
    if (event.type === 'frame') break;
  }
  return events;
}

const frame = (values: Float32Array, i: number) => values.slice(i * size, (i + 1) * size);
const plain = (red: number): Pixels => {
  const data = new Uint8ClampedArray(128 * 128 * 4);
  for (let i = 0; i < data.length; i += 4) data.set([red, 120, 40, 255], i);
  return { width: 128, height: 128, data };
};

test('draws each scene as its words alone would, tells the clip of all of them, and ends on them', async () => {
  const runs = watch();
  for (const prompt of ['egg', 'chick', 'rooster', 'egg, chick, rooster']) {
    await sampleOnly({ ...story, prompt, frames: 4 });
  }
  const alone = runs.splice(0);
  const events = await all(engine, story);
  expect(done(events).options).toEqual(story);
  expect(engine.clip?.frames).toBe(28);
  const steps = events.flatMap((event) => (event.type === 'step' ? [event] : []));
  expect(steps.map(({ stage, scene, index }) => [stage, scene?.index, scene?.of, index])).toEqual([
    ...[1, 2, 3].flatMap((scene) => [1, 2].map((index) => ['picture', scene, 3, index])),
    ...[1, 2].map((index) => ['clip', undefined, undefined, index]),
  ]);
  expect(runs.map(({ words }) => words)).toEqual(alone.map(({ words }) => words));
  const [egg, chick, rooster, clip] = runs.map(({ latents }) => latents) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  expect([egg, chick, rooster]).toEqual(alone.slice(0, 3).map(({ latents }) => latents));
  // Seven latent frames: scenes stand at 0, round(7/3) and round(14/3).
  expect([0, 2, 5].map((i) => frame(clip, i))).toEqual([egg, chick, rooster]);
  for (const i of [1, 3, 4, 6])
    for (const picture of [egg, chick, rooster]) expect(frame(clip, i)).not.toEqual(picture);
  const { pictures, mask } = runs[3]!;
  const seen = [egg, egg, chick, chick, rooster, rooster, egg];
  expect(seen.map((_picture, i) => frame(pictures, i))).toEqual(seen);
  expect(seen.map((_picture, i) => mask[i * 256])).toEqual([1, 0, 1, 0, 0, 1, 0]);
});

test('a clip of one scene knows nothing of a story, before and after', async () => {
  const runs = watch();
  const single = { ...story, prompt: 'egg', frames: 16 };
  await sampleOnly(single);
  const before = runs.at(-1);
  expect(before?.mask.every((value) => value === 0)).toBe(true);
  await sampleOnly({ ...single, prompt: 'egg > chick' });
  expect(runs.at(-1)?.latents).not.toEqual(before?.latents);
  await sampleOnly(single);
  expect(runs.at(-1)).toEqual(before);
});

test('a start picture is the first scene, whole or with a part of it drawn from the first scene’s words', async () => {
  const runs = watch();
  const given = { ...story, prompt: '> chick', frames: 16, picture: 'ab'.repeat(32) };
  const events = await sampleOnly(given, plain(200));
  const scenes = events.flatMap((event) => (event.type === 'step' ? [event.scene] : []));
  expect(scenes).toEqual([{ index: 2, of: 2 }, { index: 2, of: 2 }, undefined, undefined]);
  const [chick, clip] = runs.splice(0) as [Run, Run];
  expect(frame(clip.latents, 0)).toEqual(frame(clip.pictures, 0));
  expect(frame(clip.latents, 2)).toEqual(chick.latents);
  expect(chick.mask.every((value) => value === 0)).toBe(true);
  expect(clip.words).toEqual(chick.words); // the first scene says nothing
  await sampleOnly({ ...given, prompt: 'egg > chick', redraw: '1,2,3,4' }, plain(200));
  const [egg, other, redrawn] = runs as [Run, Run, Run];
  const kept = maskOutside({ left: 1, top: 2, width: 3, height: 4 }, [16, 16]);
  expect([...egg.mask]).toEqual([...kept]);
  expect(other).toEqual(chick);
  expect(frame(redrawn.latents, 0)).toEqual(egg.latents);
  const outside = (latents: Float32Array) => latents.filter((_value, i) => kept[Math.floor(i / channels)] === 1);
  expect(outside(egg.latents)).toEqual(outside(frame(clip.latents, 0)));
  expect(egg.latents).not.toEqual(frame(clip.latents, 0));
});

test('works after it was cancelled at any picture or while its frames are decoded, and memory stays flat', async () => {
  const runs = watch();
  const short = { ...story, prompt: 'egg > chick', frames: 16 };
  await all(engine, short);
  const first = runs.splice(0);
  const bytes = engine.gpu.bytesInUse;
  const moments: readonly ((event: GenerateEvent) => boolean)[] = [
    (event) => event.type === 'step' && event.scene?.index === 1,
    (event) => event.type === 'step' && event.scene?.index === 2,
    ({ type }) => type === 'frame',
  ];
  for (const isMoment of moments) {
    const controller = new AbortController();
    let last: GenerateEvent | undefined;
    const running = (async () => {
      for await (const event of generate(engine, short, controller.signal)) {
        last = event;
        if (isMoment(event)) controller.abort();
      }
    })();
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    expect(last && isMoment(last)).toBe(true);
  }
  runs.length = 0;
  await all(engine, short);
  expect(runs).toEqual(first);
  expect(engine.gpu.bytesInUse).toBe(bytes);
});

test('one that is wrong is refused in words', async () => {
  for (const wrong of [{ frames: 20 }, { prompt: 'egg >' }]) {
    await expect(all(engine, { ...story, ...wrong })).rejects.toMatchObject({ code: 'input' });
  }
});
