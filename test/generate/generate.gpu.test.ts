// The pipeline in a real browser: events, frames on a canvas, an MP4; cancelling, memory, what is refused.
import { ALL_FORMATS, BlobSource, Input } from 'mediabunny';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { HeadDecoder, PreviewDecoder, StemDecoder } from '../../src/engine/decoding';
import { Stage } from '../../src/engine/stage';
import type { GenerateEvent } from '../../src/events';
import { type Engine, generate, openEngine } from '../../src/generate';
import { limits } from '../../src/options';
import { type SamplerName, samplerNames } from '../../src/sampler-names';
import { all, done, frames, modelUrl, options, short } from './tiny';

let engine: Engine;
const canvas = new OffscreenCanvas(1, 1);

beforeAll(async () => {
  engine = await openEngine({ canvas, modelUrl });
});

afterEach(() => void vi.restoreAllMocks());
afterAll(() => engine?.dispose());

test('a clip: events in order, a video of the right length', async () => {
  const began = performance.now();
  const events = await all(engine, options);
  const wall = (performance.now() - began) / 1000;
  const types = events.map(({ type }) => type).filter((type, i, list) => type !== list[i - 1]);
  expect(types).toEqual(['load', 'compile', 'step', 'frame', 'done']);
  expect(events.filter(({ type }) => type === 'step')).toMatchObject([
    { stage: 'picture', index: 1, of: 1 },
    { stage: 'clip', index: 1, of: 1 },
  ]);
  expect(events.filter(({ type }) => type === 'frame')).toHaveLength(8);
  const programs = events.flatMap((event) => (event.type === 'compile' && event.done > 0 ? [event] : []));
  expect(new Set(programs.map(({ total }) => total)).size).toBe(1); // it does not grow under way
  expect(programs.at(-1)?.done).toBe(programs[0]?.total);
  const shares = events.flatMap((event) => ('share' in event ? [event.share] : []));
  expect(shares).toEqual([...new Set(shares)].sort((a, b) => a - b));
  expect(shares[0]).toBeGreaterThan(0);
  expect(shares.at(-1)).toBeCloseTo(1, 10);
  const { video, codec, stats } = done(events);
  expect(codec).toMatch(/^(avc1|vp09)/);
  const { total, load, compile, perStep, decode, encode } = stats.seconds;
  for (const part of [load, compile, perStep, decode, encode]) expect(part).toBeGreaterThan(0);
  expect(total).toBeGreaterThanOrEqual(load + compile + perStep + decode + encode); // none is counted twice
  expect(total).toBeLessThanOrEqual(wall);
  expect(total).toBeGreaterThan(0.5 * wall);
  expect(stats.peakGpuBytes).toBeGreaterThan(stats.bytesInUse); // what was read back on the way is freed
  const input = new Input({ source: new BlobSource(video!), formats: ALL_FORMATS });
  expect(await input.computeDuration()).toBeCloseTo(8 / 12, 3);
  const track = (await input.getPrimaryVideoTrack())!;
  expect([track.displayWidth, track.displayHeight]).toEqual([512, 512]);
  expect((await track.computePacketStats()).packetCount).toBe(8);
  expect(engine.clip).toMatchObject({ frames: 8, fps: 12 });
});

test('the same seed gives the same frames, another seed or prompt others', async () => {
  expect(done(await all(engine, short)).video).not.toBeNull();
  const first = await frames(engine);
  await all(engine, short);
  expect(await frames(engine)).toEqual(first);
  await all(engine, { ...short, seed: 8 });
  expect(await frames(engine)).not.toEqual(first);
  await all(engine, { ...short, prompt: 'a rocket' });
  expect(await frames(engine)).not.toEqual(first);
});

test('the amount of motion counts; none given is not the same as 0', async () => {
  const made: string[] = [];
  for (const motion of [undefined, 0, 3, undefined]) {
    await all(engine, { ...options, ...(motion !== undefined && { motion }) });
    made.push((await frames(engine)).join());
  }
  expect(made[3]).toBe(made[0]);
  expect(new Set(made).size).toBe(3);
});

test('cancelling stops at once, leaves the last clip and no memory behind, and the next clip works', async () => {
  await all(engine, short);
  const last = await frames(engine);
  const before = engine.gpu.bytesInUse;
  const moments: readonly ((event: GenerateEvent) => boolean)[] = [
    ({ type }) => type === 'compile',
    ({ type }) => type === 'step',
    ({ type }) => type === 'frame',
    (event) => event.type === 'frame' && event.index === event.of, // all that is left is the encoder's
  ];
  // Empty ones only hurry the browser on: see nudged.
  const ofCommands = ({ mock }: { mock: { calls: [Iterable<GPUCommandBuffer>][] } }) =>
    mock.calls.filter(([buffers]) => [...buffers].length > 0).length;
  for (const isMoment of moments) {
    const controller = new AbortController();
    const submit = vi.spyOn(engine.gpu.device.queue, 'submit');
    let stopped = 0;
    const running = (async () => {
      for await (const event of generate(engine, { ...short, frames: 8, steps: 2 }, controller.signal)) {
        if (!isMoment(event)) continue;
        stopped = ofCommands(submit);
        controller.abort();
      }
    })();
    await expect(running).rejects.toMatchObject({ name: 'FlipbookError', code: 'cancelled' });
    expect(ofCommands(submit) - stopped).toBeLessThanOrEqual(1);
    submit.mockRestore();
    expect(await frames(engine)).toEqual(last);
  }
  await all(engine, short);
  expect(engine.gpu.bytesInUse).toBe(before);
});

test('the finished clip keeps still while the next one is seen, and moves again where that comes to nothing', async () => {
  await all(engine, short);
  const submit = vi.spyOn(engine.gpu.device.queue, 'submit');
  for await (const event of generate(engine, short)) {
    if (event.type !== 'step') continue;
    submit.mockClear();
    await engine.clip?.show(0);
    expect(submit).not.toHaveBeenCalled();
    break;
  }
  submit.mockClear();
  await engine.clip?.show(0);
  expect(submit).toHaveBeenCalled();
  submit.mockRestore();
});

test('a consumer that stops listening stops the work', async () => {
  for await (const event of generate(engine, short)) if (event.type === 'step') break;
  expect(engine.busy).toBe(false);
});

test('memory stays flat over five clips, with one without guidance among them; its peak is each clip’s own', async () => {
  const long = done(await all(engine, options)).stats;
  const made: (typeof long)[] = [];
  for (let seed = 0; seed < 5; seed++) {
    if (seed === 2) await all(engine, { ...short, guidance: 1 });
    made.push(done(await all(engine, { ...short, seed })).stats);
  }
  expect(new Set(made.map(({ bytesInUse }) => bytesInUse)).size).toBe(1);
  expect(made.at(-1)?.peakGpuBytes).toBeLessThan(long.peakGpuBytes);
});

test('every sampler, more steps, no guidance', async () => {
  const made: Record<string, string> = {};
  const draw = async (sampler: SamplerName) => {
    // In three steps DPM-Solver++ 2M is Euler: its first two and its last are of first order.
    await all(engine, { ...short, sampler, steps: 5, guidance: 1 });
    return (await frames(engine)).join();
  };
  for (const sampler of samplerNames) made[sampler] = await draw(sampler);
  expect(await draw('ddpm')).toBe(made.ddpm); // its noise too follows from the seed
  // Samplers that are one update on a flow step at other times.
  expect(new Set(Object.values(made)).size).toBe(samplerNames.length);
});

test('what the model does not read of the prompt is told once, before the work', async () => {
  const told = { type: 'unread', unknown: ['🐱'], cut: [] };
  const types = async (prompt: string) =>
    (await all(engine, { ...options, frames: 16, prompt })).filter(({ type }) => type !== 'load');
  expect((await types('a 🐱 > a dog and a 🐱'))[0]).toEqual(told);
  expect((await types('a cat')).some(({ type }) => type === 'unread')).toBe(false);
});

test('the longest clip', async () => {
  const { video } = done(await all(engine, { ...options, frames: limits.frames.max }));
  const input = new Input({ source: new BlobSource(video!), formats: ALL_FORMATS });
  expect(await input.computeDuration()).toBeCloseTo(limits.frames.max / 12, 3);
  expect(engine.clip?.frames).toBe(limits.frames.max);
});

test('the time left is what the rest takes at the pace so far', async () => {
  let later = 0;
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + later);
  // A millisecond for each of its operations: besides that, what programs really take does not count.
  const [{ step }, { decode }] = [Stage.prototype, PreviewDecoder.prototype];
  const [stem, head] = [StemDecoder.prototype.run, HeadDecoder.prototype.run];
  vi.spyOn(Stage.prototype, 'step').mockImplementation(async function (this: Stage, ...given) {
    await step.apply(this, given);
    later += this.flops;
  });
  vi.spyOn(PreviewDecoder.prototype, 'decode').mockImplementation(async function (this: PreviewDecoder, ...given) {
    const frame = await decode.apply(this, given);
    later += this.flops;
    return frame;
  });
  vi.spyOn(StemDecoder.prototype, 'run').mockImplementation(async function (this: StemDecoder, ...given) {
    await stem.apply(this, given);
    later += this.flops;
  });
  vi.spyOn(HeadDecoder.prototype, 'run').mockImplementation(async function (this: HeadDecoder, ...given) {
    await head.apply(this, given);
    later += this.flops;
  });
  const told: { readonly event: GenerateEvent; readonly at: number }[] = [];
  for await (const event of generate(engine, { ...options, frames: 12, steps: 3 })) {
    told.push({ event, at: performance.now() });
  }
  const end = told.at(-1)!.at;
  let sampled = 0;
  for (const { event, at } of told) {
    if (event.type === 'step') {
      expect((1000 * event.eta) / (end - at)).toBeCloseTo(1, 2);
      sampled = at;
    } else if (event.type === 'frame') {
      const decoded = 4 * Math.ceil(event.index / 4); // so many at a time
      expect((1000 * event.eta) / (end - sampled)).toBeCloseTo(
        (((at - sampled) / decoded) * (12 - event.index)) / (end - sampled),
        2,
      );
    }
  }
});

test('picture and clip draw from noise of their own in every step', async () => {
  const start = vi.spyOn(Stage.prototype, 'start');
  await all(engine, options);
  const streams = start.mock.calls.map(([given]) => given.stream);
  expect(streams).toHaveLength(2);
  expect(Math.abs(streams[0]! - streams[1]!)).toBeGreaterThan(1000); // the most steps of a table
});

test('without a working encoder the clip still plays, and the event says why', async () => {
  const real = globalThis.VideoEncoder;
  try {
    Reflect.deleteProperty(globalThis, 'VideoEncoder');
    const problem = {
      message: expect.stringContaining('no video encoder'),
      hint: expect.stringContaining('Chrome'),
    };
    expect(done(await all(engine, short))).toMatchObject({ video: null, codec: null, problem });
    expect(engine.clip?.frames).toBe(4);
  } finally {
    globalThis.VideoEncoder = real;
  }
});

test('what the model cannot make is refused in words', async () => {
  await expect(all(engine, { ...options, frames: 6 })).rejects.toMatchObject({ code: 'input' });
  await expect(all(engine, { ...options, steps: 0 })).rejects.toMatchObject({ code: 'input' });
});
