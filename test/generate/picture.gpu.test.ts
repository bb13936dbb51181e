// Clips that start from a visitor's picture, as it is or with a part of it drawn anew.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { version } from '../../package.json';
import type { GenerateEvent } from '../../src/events';
import { type Engine, openEngine } from '../../src/generate';
import { readClipMetadata } from '../../src/media/metadata';
import type { Pixels } from '../../src/media/pixels';
import type { GenerateOptions } from '../../src/options';
import { sha256 } from '../../src/sha256';
import { clearStorage } from '../../src/ui/settings';
import { all, done, frames, modelUrl, nameOf, options, short } from './tiny';

let engine: Engine;

beforeAll(async () => {
  engine = await openEngine({ modelUrl });
});

afterAll(() => engine?.dispose());

const side = 128;
const hash = 'ab'.repeat(32);
const plain = (red: number): Pixels => {
  const data = new Uint8ClampedArray(side * side * 4);
  for (let i = 0; i < data.length; i += 4) data.set([red, 120, 40, 255], i);
  return { width: side, height: side, data };
};
const given: GenerateOptions = { ...options, prompt: '', picture: hash };

function from(picture: Pixels | undefined, asked = given): Promise<GenerateEvent[]> {
  return all(engine, asked, { picture });
}

test('takes the place of the first stage; the same one gives the same clip, another one another', async () => {
  const events = await from(plain(200));
  const steps = events.flatMap((event) => (event.type === 'step' ? [event.stage] : []));
  expect(steps).toEqual(['clip']);
  expect(done(events).options).toEqual(given);
  const first = await frames(engine);
  await from(plain(200));
  expect(await frames(engine)).toEqual(first);
  await from(plain(20));
  expect(await frames(engine)).not.toEqual(first);
  await from(plain(200), { ...given, seed: 8 });
  expect(await frames(engine)).not.toEqual(first);
});

test('memory stays flat, with and without it', async () => {
  const bytes: number[] = [];
  for (let i = 0; i < 4; i++) {
    if (i % 2 === 0) await from(plain(200));
    else await all(engine, options);
    bytes.push(engine.gpu.bytesInUse);
  }
  expect(bytes.slice(2)).toEqual([bytes[1], bytes[1]]);
});

test('that is missing, not named, of another size, or too short to move is refused in words', async () => {
  const small = { width: 1, height: 1, data: new Uint8ClampedArray(4) };
  await expect(from(undefined)).rejects.toMatchObject({ code: 'input', message: expect.stringMatching('none was') });
  await expect(from(plain(1), options)).rejects.toMatchObject({ code: 'input' });
  await expect(from(small)).rejects.toMatchObject({ code: 'input', message: expect.stringMatching('1×1') });
  await expect(from(plain(1), { ...given, frames: 4 })).rejects.toMatchObject({ code: 'input' });
  expect(done(await from(plain(1))).video).not.toBeNull();
});

test('needs the encoder’s file, which nothing else does', async () => {
  const asked: string[] = [];
  let broken = true;
  const own = await openEngine({
    modelUrl,
    fetch: async (input, init) => {
      const name = nameOf(input);
      asked.push(name);
      return broken && name === 'encoder.safetensors'
        ? new Response('', { status: 404 })
        : fetch(input, { ...init, cache: 'no-store' });
    },
  });
  const run = (asked: GenerateOptions, picture?: Pixels) => all(own, asked, { picture });
  try {
    await clearStorage();
    await run(short);
    expect(asked).not.toContain('encoder.safetensors');
    const failure = expect.stringContaining('encoder.safetensors');
    await expect(run(given, plain(9))).rejects.toMatchObject({ code: 'weights', message: failure });
    broken = false;
    await run(given, plain(9));
  } finally {
    own.dispose();
  }
});

describe('a sketch, of which all is drawn anew', () => {
  const sketched = { ...given, prompt: 'a dancing cat', frames: 4, redraw: 'all' };

  test('is gone by, not kept: it counts, words do too, and words alone know nothing of it afterwards', async () => {
    await all(engine, short);
    const alone = await frames(engine);
    const events = await from(plain(200), { ...sketched, frames: 8 });
    expect(events.flatMap((event) => (event.type === 'step' ? [event.stage] : []))).toEqual(['picture', 'clip']);
    await from(plain(200), sketched);
    const first = await frames(engine);
    expect(first).not.toEqual(alone);
    const variants: [Pixels, GenerateOptions][] = [
      [plain(20), sketched],
      [plain(200), { ...sketched, seed: 8 }],
      [plain(200), { ...sketched, prompt: 'a red heart' }],
      [plain(200), { ...sketched, redraw: '0,0,16,16' }],
    ];
    for (const [picture, asked] of variants) {
      await from(picture, asked);
      expect(await frames(engine)).not.toEqual(first);
    }
    await all(engine, short);
    expect(await frames(engine)).toEqual(alone);
    await from(plain(200), sketched);
    expect(await frames(engine)).toEqual(first);
  });

  test('can be the first scene of a story', async () => {
    const story = { ...sketched, prompt: 'an egg > a chick', frames: 16 };
    const steps = (await from(plain(200), story)).flatMap((event) => (event.type === 'step' ? [event.stage] : []));
    expect(steps).toEqual(['picture', 'picture', 'clip']);
  });
});

describe('a part of it drawn anew', () => {
  const redrawn = { ...given, prompt: 'a dancing cat', frames: 4, redraw: '4,4,8,8' };

  test('is drawn first, then it moves', async () => {
    const events = await from(plain(200), { ...redrawn, frames: 8 });
    expect(events.flatMap((event) => (event.type === 'step' ? [event.stage] : []))).toEqual(['picture', 'clip']);
    expect(engine.clip?.frames).toBe(8);
  });

  test('goes with the rest: seed, box and picture all count, and words alone know nothing of it afterwards', async () => {
    await all(engine, short);
    const alone = await frames(engine);
    await from(plain(200), redrawn);
    const first = await frames(engine);
    const variants: [Pixels, GenerateOptions][] = [
      [plain(20), redrawn],
      [plain(200), { ...redrawn, seed: 8 }],
      [plain(200), { ...redrawn, redraw: '5,4,8,8' }],
    ];
    for (const [picture, asked] of variants) {
      await from(picture, asked);
      expect(await frames(engine)).not.toEqual(first);
    }
    await all(engine, short);
    expect(await frames(engine)).toEqual(alone);
    await from(plain(200), redrawn);
    expect(await frames(engine)).toEqual(first);
  });

  test('needs words and a picture, and keeps memory flat', async () => {
    await expect(from(plain(1), { ...redrawn, prompt: '' })).rejects.toMatchObject({ code: 'input' });
    await expect(all(engine, { ...options, redraw: '4,4,8,8' })).rejects.toMatchObject({ code: 'input' });
    const bytes: number[] = [];
    for (let i = 0; i < 3; i++) {
      expect(done(await from(plain(200), redrawn)).video).not.toBeNull();
      bytes.push(engine.gpu.bytesInUse);
    }
    expect(new Set(bytes).size).toBe(1);
  });
});

test('its files say how a clip was made, down to the picture and the model', async () => {
  const asked: GenerateOptions = {
    prompt: 'a cat & a hat',
    seed: 123_456_789,
    steps: 3,
    guidance: 3,
    motion: 2.5,
    frames: 12,
    sampler: 'ddim',
    background: '#0a80f5',
    picture: hash,
    redraw: '1,2,3,4',
  };
  const { video } = done(await from(plain(200), asked));
  const manifest = await (await fetch(`${modelUrl}model.json`)).arrayBuffer();
  const made = { ...asked, model: 'tiny 0.1.0', modelHash: await sha256(manifest), appVersion: version };
  const clip = engine.clip!;
  const loops = () => Promise.all((['apng', 'gif'] as const).map((kind) => clip.animation({ kind, side: 16 })));
  for (const file of [video, await clip.still(), ...(await loops())]) {
    expect(await readClipMetadata(file!)).toEqual(made);
  }
  clip.background = '#ffffff';
  const { video: anew } = await clip.record(new AbortController().signal, () => undefined);
  for (const file of [anew, await clip.still(), ...(await loops())]) {
    expect(await readClipMetadata(file!)).toEqual({ ...made, background: '#ffffff' });
  }
});
