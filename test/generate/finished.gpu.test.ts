// A finished clip: its frames with and without the paper, and the files that are made of it. Not how it is made.
import { ALL_FORMATS, BlobSource, CanvasSink, Input } from 'mediabunny';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type Engine, openEngine } from '../../src/generate';
import { ApngWriter } from '../../src/media/apng';
import { readClipMetadata } from '../../src/media/metadata';
import type { Pixels } from '../../src/media/pixels';
import { decodeAnimation } from '../media/animation';
import { difference } from '../media/art';
import { all, done, modelUrl, options, short, shown, videoFrames } from './tiny';

let engine: Engine;
const canvas = new OffscreenCanvas(1, 1);

beforeAll(async () => {
  engine = await openEngine({ canvas, modelUrl });
});

afterEach(() => void vi.restoreAllMocks());
afterAll(() => engine?.dispose());

test('a frame of the finished clip comes with its transparency, at any size', async () => {
  await all(engine, short);
  const [pixels, again] = await Promise.all([engine.clip!.pixels(0, 64), engine.clip!.pixels(0, 64)]);
  expect(again).toEqual(pixels);
  expect([pixels?.width, pixels?.height, pixels?.data.length]).toEqual([64, 64, 64 * 64 * 4]);
  const alphas = new Set(pixels?.data.filter((_value, i) => i % 4 === 3));
  expect(alphas.size).toBeGreaterThan(10);
  expect((await engine.clip!.pixels(3, 128))?.data.length).toBe(128 * 128 * 4);
});

test('the finished clip moves to another background: on the canvas and in a new video, its frames as they were', async () => {
  const black = { ...short, background: '#000000' };
  const first = done(await all(engine, black));
  const [last, cutout] = [await shown(engine, 3), await engine.clip!.pixels(3, 64)];
  engine.clip!.background = '#ffffff';
  expect(await shown(engine, 3)).not.toEqual(last);
  const recorded: number[] = [];
  const { video, codec } = await engine.clip!.record(new AbortController().signal, (n) => recorded.push(n));
  expect(recorded).toEqual([1, 2, 3, 4]);
  expect(codec).toBe(first.codec);
  expect(await engine.clip!.pixels(3, 64)).toEqual(cutout);
  const corner = async (file: Blob) => {
    const input = new Input({ source: new BlobSource(file), formats: ALL_FORMATS });
    const sink = new CanvasSink((await input.getPrimaryVideoTrack())!);
    const { canvas: shown } = (await sink.getCanvas(0))!;
    const { data } = (shown.getContext('2d') as OffscreenCanvasRenderingContext2D).getImageData(0, 0, 512, 512);
    return data.reduce((sum, value) => sum + value, 0) / data.length;
  };
  expect(await corner(video!)).toBeGreaterThan((await corner(first.video!)) + 5);
  engine.clip!.background = black.background;
  expect(await shown(engine, 3)).toEqual(last);
});

/** Each frame of the video shows what the clip shows as that frame, rather than what it shows before or after. */
async function expectSameFrames(video: Blob): Promise<void> {
  const count = engine.clip!.frames;
  const pictures: Pixels[] = [];
  for (let i = 0; i < count; i++) pictures.push(await shown(engine, i));
  const decoded = await videoFrames(video);
  expect(decoded).toHaveLength(count);
  const found = decoded.map((rgb) => {
    const errors = pictures.map((picture) => difference(rgb, picture).mean);
    expect(Math.min(...errors)).toBeLessThan(15); // no sticker, noise: half of what frames differ by
    return errors.indexOf(Math.min(...errors));
  });
  expect(found).toEqual(pictures.map((_picture, i) => i));
}

test('every frame of the video is the clip’s, in order, also where it is recorded anew', async () => {
  const { video } = done(await all(engine, { ...options, background: '#ff8000' }));
  await expectSameFrames(video!);
  engine.clip!.background = '#0080ff';
  const anew = await engine.clip!.record(new AbortController().signal, () => undefined);
  await expectSameFrames(anew.video!);
});

test('the background lies under the sticker, as its transparency says', async () => {
  await all(engine, { ...short, background: '#000000' });
  const { data: black } = await shown(engine, 1);
  const { data: cutout } = (await engine.clip!.pixels(1, 512))!;
  engine.clip!.background = '#ff8000';
  const { data } = await shown(engine, 1);
  let worst = 0;
  for (let i = 0; i < data.length; i++) {
    const behind = (255 - cutout[i - (i % 4) + 3]!) / 255;
    const paper = [255, 128, 0, 0][i % 4]!;
    worst = Math.max(worst, Math.abs(data[i]! - Math.min(255, black[i]! + behind * paper)));
  }
  expect(worst).toBeLessThan(2); // rounded three times
});

test('an animation holds every frame with its transparency, for its time', async () => {
  await all(engine, options);
  const { clip } = engine;
  const { frames } = await decodeAnimation((await clip!.animation({ kind: 'apng', side: 256 }))!);
  expect(frames).toHaveLength(8);
  for (const [frameIndex, { data: rgba }] of frames.entries()) {
    const expected = (await clip!.pixels(frameIndex, 256))!.data;
    expect(mostBetween(rgba, expected)).toBeLessThan(1.5); // a decoder may multiply by alpha and divide again
    expect(mostBetween(rgba, (await clip!.pixels((frameIndex + 1) % 8, 256))!.data)).toBeGreaterThan(3);
  }
  expect(secondsOf(frames)).toBeCloseTo(8 / 12, 2);
});

test('a GIF holds every frame for its time, its edges on the paper of the moment', async () => {
  await all(engine, { ...options, background: '#000000' });
  const clip = engine.clip!;
  clip.background = '#ffffff';
  const packing = clip.animation({ kind: 'gif', side: 64 });
  clip.background = '#ff0000'; // too late for the file that is being made
  const file = (await packing)!;
  expect(await readClipMetadata(file)).toMatchObject({ background: '#ffffff' });
  const { frames } = await decodeAnimation(file);
  expect(frames).toHaveLength(8);
  for (const [frameIndex, { data: rgba }] of frames.entries()) {
    const { data } = (await clip.pixels(frameIndex, 64))!;
    let error = 0;
    for (let i = 0; i < data.length; i += 4) {
      const alpha = data[i + 3]! / 255;
      expect(rgba[i + 3]).toBe(alpha < 0.5 ? 0 : 255);
      if (alpha < 0.5) continue;
      for (let c = i; c < i + 3; c++) error += Math.abs(rgba[c]! - alpha * data[c]! - (1 - alpha) * 255);
    }
    expect(error / (3 * 64 * 64)).toBeLessThan(5); // 255 colours of noise
  }
  expect(secondsOf(frames)).toBeCloseTo(0.67, 5);
});

const secondsOf = (frames: readonly { duration: number }[]) =>
  frames.reduce((sum, each) => sum + each.duration, 0) / 1e6;

/** The largest difference of two pictures: of alpha, and of colours as far as they are seen. */
function mostBetween(one: Uint8ClampedArray, other: Uint8ClampedArray): number {
  const seen = (data: Uint8ClampedArray, i: number) =>
    i % 4 === 3 ? data[i]! : (data[i]! * data[i - (i % 4) + 3]!) / 255;
  let most = 0;
  for (let i = 0; i < other.length; i++) most = Math.max(most, Math.abs(seen(one, i) - seen(other, i)));
  return most;
}

test('recording it anew can be cancelled, and leaves no memory behind', async () => {
  await all(engine, short);
  const before = engine.gpu.bytesInUse;
  const controller = new AbortController();
  const running = engine.clip!.record(controller.signal, (n) => n === 2 && controller.abort());
  await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  expect(engine.gpu.bytesInUse).toBe(before);
  expect((await engine.clip!.record(new AbortController().signal, () => undefined)).video?.size).toBeGreaterThan(0);
});

test('of a device that goes away meanwhile no video is given', async () => {
  const other = await openEngine({ modelUrl });
  await all(other, short);
  const recording = other.clip!.record(new AbortController().signal, (n) => n === 2 && other.gpu.device.destroy());
  await expect(recording).rejects.toMatchObject({ code: 'device-lost' });
  other.dispose();
});

test('an animation that is being packed when a shorter clip takes the place of its own is given up', async () => {
  await all(engine, options);
  const add = ApngWriter.prototype.add;
  let goOn = () => {};
  const finished = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const added = vi.spyOn(ApngWriter.prototype, 'add').mockImplementation(async function (this: ApngWriter, pixels) {
    if (added.mock.calls.length === 6) await finished; // more frames than the next clip has
    await add.call(this, pixels);
  });
  try {
    const packing = engine.clip!.animation({ kind: 'apng', side: 16 });
    await all(engine, short);
    goOn();
    expect(await packing).toBeUndefined();
  } finally {
    added.mockRestore();
  }
  expect((await engine.clip!.animation({ kind: 'apng', side: 16 }))?.type).toBe('image/png');
});
