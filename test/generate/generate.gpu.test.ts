// The pipeline in a real browser: events, frames on a canvas, an MP4; cancelling, memory, failures, lost devices.
import { ALL_FORMATS, BlobSource, Input } from 'mediabunny';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GenerateEvent } from '../../src/events';
import { type Engine, generate, openEngine } from '../../src/generate';
import type { Pixels } from '../../src/media/pixels';
import { type GenerateOptions, limits } from '../../src/options';

/** Random weights in narrow modules (training/export.py --tiny): what is tested here is the pipeline, not a model. */
const modelUrl = '/test/fixtures/tiny/';
const options: GenerateOptions = {
  prompt: 'a dancing cat',
  seed: 7,
  steps: 1,
  guidance: 4,
  frames: 8,
  sampler: 'flow-euler',
  background: '#fff8e9',
};

let engine: Engine;
const canvas = new OffscreenCanvas(1, 1);

beforeAll(async () => {
  engine = await openEngine({ canvas, modelUrl });
});

afterAll(() => engine?.dispose());

async function all(given: GenerateOptions, signal?: AbortSignal): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = [];
  for await (const event of generate(engine, given, signal)) events.push(event);
  return events;
}

function done(events: readonly GenerateEvent[]) {
  const last = events.at(-1);
  if (last?.type !== 'done') throw new Error(`the last event is ${last?.type}`);
  return last;
}

test('a clip: events in order, a video of the right length', async () => {
  const events = await all(options);
  const types = events.map(({ type }) => type).filter((type, i, list) => type !== list[i - 1]);
  expect(types).toEqual(['load', 'compile', 'step', 'frame', 'done']);
  expect(events.filter(({ type }) => type === 'step')).toMatchObject([
    { stage: 'picture', index: 1, of: 1 },
    { stage: 'clip', index: 1, of: 1 },
  ]);
  expect(events.filter(({ type }) => type === 'frame')).toHaveLength(8);
  const { video, codec, stats } = done(events);
  expect(codec).toMatch(/^(avc1|vp09)/);
  for (const part of Object.values(stats.seconds)) expect(part).toBeGreaterThan(0);
  expect(stats.peakGpuBytes).toBeGreaterThanOrEqual(stats.bytesInUse);
  const input = new Input({ source: new BlobSource(video!), formats: ALL_FORMATS });
  expect(await input.computeDuration()).toBeCloseTo(8 / 12, 3);
  const track = (await input.getPrimaryVideoTrack())!;
  expect([track.displayWidth, track.displayHeight]).toEqual([512, 512]);
  expect((await track.computePacketStats()).packetCount).toBe(8);
  expect(engine.clip).toEqual({ frames: 8, fps: 12 });
});

/** A digest of every frame of the finished clip, as the canvas shows it. */
async function frames(): Promise<string[]> {
  const digests: string[] = [];
  for (let i = 0; i < engine.clip!.frames; i++) {
    engine.show(i);
    const png = await (await engine.still()).arrayBuffer();
    digests.push(new Uint8Array(await crypto.subtle.digest('SHA-256', png)).join());
  }
  return digests;
}

const short = { ...options, frames: 4 };

test('the same seed gives the same frames, another seed or prompt others', async () => {
  expect(done(await all(short)).video).not.toBeNull();
  const first = await frames();
  await all(short);
  expect(await frames()).toEqual(first);
  await all({ ...short, seed: 8 });
  expect(await frames()).not.toEqual(first);
  await all({ ...short, prompt: 'a rocket' });
  expect(await frames()).not.toEqual(first);
});

test('the amount of motion counts; none given is not the same as 0', async () => {
  const made: string[] = [];
  for (const motion of [undefined, 0, 3, undefined]) {
    await all({ ...options, ...(motion !== undefined && { motion }) });
    made.push((await frames()).join());
  }
  expect(made[3]).toBe(made[0]);
  expect(new Set(made).size).toBe(3);
});

test('cancelling stops at once, leaves no memory behind, and the next clip works', async () => {
  await all(short);
  const before = engine.gpu.bytesInUse;
  for (const type of ['compile', 'step', 'frame'] as const) {
    const controller = new AbortController();
    let stopped = 0;
    const running = (async () => {
      for await (const event of generate(engine, { ...short, frames: 8, steps: 2 }, controller.signal)) {
        if (event.type !== type) continue;
        stopped = performance.now();
        controller.abort();
      }
    })();
    await expect(running).rejects.toMatchObject({ name: 'FlipbookError', code: 'cancelled' });
    // One submit, of about 100 ms, but tests share their processor.
    expect(performance.now() - stopped).toBeLessThan(3000);
  }
  await all(short);
  expect(engine.gpu.bytesInUse).toBe(before);
});

test('a consumer that stops listening stops the work', async () => {
  for await (const event of generate(engine, short)) if (event.type === 'step') break;
  expect(engine.busy).toBe(false);
});

test('memory stays flat over five clips', async () => {
  const bytes: number[] = [];
  for (let seed = 0; seed < 5; seed++) {
    await all({ ...short, seed });
    bytes.push(engine.gpu.bytesInUse);
  }
  expect(new Set(bytes).size).toBe(1);
});

test('every sampler, many steps, no guidance', async () => {
  for (const sampler of ['ddpm', 'ddim', 'euler', 'euler-ancestral', 'dpmpp-2m', 'lcm'] as const) {
    const events = await all({ ...short, sampler, steps: 2, guidance: 1 });
    expect(done(events).options.sampler).toBe(sampler);
  }
});

describe('a start picture', () => {
  const side = 128;
  const sha256 = 'ab'.repeat(32);
  const plain = (red: number): Pixels => {
    const data = new Uint8ClampedArray(side * side * 4);
    for (let i = 0; i < data.length; i += 4) data.set([red, 120, 40, 255], i);
    return { width: side, height: side, data };
  };
  const given: GenerateOptions = { ...options, prompt: '', picture: sha256 };

  async function from(picture: Pixels | undefined, asked = given): Promise<GenerateEvent[]> {
    const events: GenerateEvent[] = [];
    for await (const event of generate(engine, asked, undefined, picture)) events.push(event);
    return events;
  }

  test('takes the place of the first stage; the same one gives the same clip, another one another', async () => {
    const events = await from(plain(200));
    const steps = events.flatMap((event) => (event.type === 'step' ? [event.stage] : []));
    expect(steps).toEqual(['clip']);
    expect(done(events).options).toEqual(given);
    const first = await frames();
    await from(plain(200));
    expect(await frames()).toEqual(first);
    await from(plain(20));
    expect(await frames()).not.toEqual(first);
    await from(plain(200), { ...given, seed: 8 });
    expect(await frames()).not.toEqual(first);
  });

  test('memory stays flat, with and without it', async () => {
    const bytes: number[] = [];
    for (let i = 0; i < 4; i++) {
      if (i % 2 === 0) await from(plain(200));
      else await all(options);
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
        const name = String(input instanceof Request ? input.url : input)
          .split('/')
          .at(-1)!;
        asked.push(name);
        return broken && name === 'encoder.safetensors'
          ? new Response('', { status: 404 })
          : fetch(input, { ...init, cache: 'no-store' });
      },
    });
    const run = async (asked: GenerateOptions, picture?: Pixels) => {
      for await (const _event of generate(own, asked, undefined, picture));
    };
    try {
      await own.forget();
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
});

test('a frame of the finished clip comes with its transparency, at any size', async () => {
  await all(short);
  const pixels = await engine.pixels(0, 64);
  expect([pixels?.width, pixels?.height, pixels?.data.length]).toEqual([64, 64, 64 * 64 * 4]);
  const alphas = new Set(pixels?.data.filter((_value, i) => i % 4 === 3));
  expect(alphas.size).toBeGreaterThan(10);
  expect((await engine.pixels(3, 128))?.data.length).toBe(128 * 128 * 4);
});

test('the longest clip', async () => {
  const { video } = done(await all({ ...options, frames: limits.frames.max }));
  const input = new Input({ source: new BlobSource(video!), formats: ALL_FORMATS });
  expect(await input.computeDuration()).toBeCloseTo(limits.frames.max / 12, 3);
  expect(engine.clip?.frames).toBe(limits.frames.max);
});

test('without a working encoder the clip still plays, and the event says why', async () => {
  const real = globalThis.VideoEncoder;
  try {
    Reflect.deleteProperty(globalThis, 'VideoEncoder');
    const problem = expect.stringContaining('no video encoder');
    expect(done(await all(short))).toMatchObject({ video: null, codec: null, problem });
    expect(engine.clip?.frames).toBe(4);
  } finally {
    globalThis.VideoEncoder = real;
  }
});

test('what the model cannot make is refused in words', async () => {
  await expect(all({ ...options, frames: 6 })).rejects.toMatchObject({ code: 'input' });
  await expect(all({ ...options, steps: 0 })).rejects.toMatchObject({ code: 'input' });
});

describe('damaged files', () => {
  /** An engine whose files pass through `change`. */
  async function damaged(
    change: (name: string, data: ArrayBuffer) => ArrayBuffer | Promise<ArrayBuffer>,
  ): Promise<Engine> {
    const changed: typeof fetch = async (input, init) => {
      const response = await fetch(input, { ...init, cache: 'no-store' });
      const name = String(input instanceof Request ? input.url : input)
        .split('/')
        .at(-1)!;
      return new Response(await change(name, await response.arrayBuffer()));
    };
    return openEngine({ modelUrl, fetch: changed });
  }

  async function failure(other: Engine): Promise<unknown> {
    try {
      for await (const _event of generate(other, short));
      throw new Error('it did not fail');
    } catch (error) {
      return error;
    } finally {
      other.dispose();
    }
  }

  test('a weight that is no number gives an error, never a frame', async () => {
    let data: ArrayBuffer;
    const other = await damaged(async (name, original) => {
      const patched = original.slice(0);
      if (name === 'denoiser.safetensors') {
        const header = Number(new DataView(patched).getBigUint64(0, true));
        new Uint8Array(patched, 8 + header).fill(0x7e); // 0x7e7e is a NaN in fp16
        data = patched;
      }
      if (name !== 'model.json') return patched;
      const response = await fetch(`${modelUrl}denoiser.safetensors`);
      const bytes = new Uint8Array(await response.arrayBuffer());
      const header = Number(new DataView(bytes.buffer).getBigUint64(0, true));
      bytes.fill(0x7e, 8 + header);
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      const manifest = JSON.parse(new TextDecoder().decode(original));
      manifest.modules.denoiser.sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
      return new TextEncoder().encode(JSON.stringify(manifest)).buffer as ArrayBuffer;
    });
    const error = await failure(other);
    expect(error).toMatchObject({ code: 'shader' });
    expect(String(error)).toContain('not a number');
    expect(data!).toBeDefined();
  });

  test('a manifest of something else is refused', async () => {
    const other = await damaged((name, data) =>
      name === 'model.json' ? (new TextEncoder().encode('{}').buffer as ArrayBuffer) : data,
    );
    expect(await failure(other)).toMatchObject({ code: 'weights' });
  });
});

test('a lost device ends the clip in words; a new engine on the same canvas goes on', async () => {
  const running = (async () => {
    for await (const event of generate(engine, short)) if (event.type === 'step') engine.gpu.device.destroy();
  })();
  await expect(running).rejects.toMatchObject({ code: 'device-lost' });
  engine.dispose();
  engine = await openEngine({ canvas, modelUrl });
  expect(done(await all(short)).video).not.toBeNull();
});
