// Looping GIFs, read back by the browser's own decoder: which pixels are there, in which colours, for how long, and settings.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GifWriter } from '../../src/media/gif';
import { readClipMetadata } from '../../src/media/metadata';
import type { Pixels } from '../../src/media/pixels';
import { decodeAnimation } from './animation';
import { patchColors, patches, sticker } from './art';
import { sampleMetadata } from './samples';

const paper = '#ff8000';

async function written(frames: readonly Pixels[], fps = 12): Promise<Blob> {
  const { width, height } = frames[0]!;
  const writer = new GifWriter({ width, height, fps, paper });
  for (const pixels of frames) await writer.add(pixels);
  return writer.finish();
}

/** @param rgba of the pixel at a place */
function picture(width: number, height: number, rgba: (x: number, y: number) => readonly number[]): Pixels {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < width * height; i++) data.set(rgba(i % width, Math.floor(i / width)), 4 * i);
  return { width, height, data };
}

const pixel = ({ width, data }: Pixels, x: number, y: number) => [...data.subarray(4 * (y * width + x)).subarray(0, 4)];
const alphas = ({ data }: Pixels) => [...data.filter((_value, i) => i % 4 === 3)];

test.for([4, 8, 12, 36])('%i frames last as long as at 12 a second, to a hundredth, and for ever', async (count) => {
  const { frames, repetitionCount } = await decodeAnimation(await written(new Array(count).fill(patches(16))));
  expect(repetitionCount).toBe(Number.POSITIVE_INFINITY);
  expect(frames).toHaveLength(count);
  const durations = frames.map(({ duration }) => duration / 1e4);
  expect(new Set(durations)).toEqual(new Set([8, 9]));
  let elapsed = 0;
  for (const [i, duration] of durations.entries()) {
    elapsed += duration;
    expect(Math.abs(elapsed - (100 * (i + 1)) / 12)).toBeLessThanOrEqual(0.5);
  }
});

test('a pixel is there from half on, drawn on the paper, and else is left out', async () => {
  const ladder = picture(256, 2, (x, y) => [0, 100, 255, y === 0 ? x : 0]);
  const [frame] = (await decodeAnimation(await written([ladder]))).frames;
  for (let x = 0; x < 256; x++) {
    expect(pixel(frame, x, 1)[3]).toBe(0);
    const [r, g, b, alpha] = pixel(frame, x, 0);
    expect(alpha).toBe(x < 128 ? 0 : 255);
    if (alpha === 0) continue;
    const expected = [255 - x, 128 + ((100 - 128) * x) / 255, x];
    [r, g, b].forEach((value, c) => {
      expect(Math.abs(value - expected[c]!), `${c} of ${x}`).toBeLessThanOrEqual(4); // half a step of 8, where colours are gathered
    });
  }
});

test('each frame takes the place of the one before, down to where it is nothing', async () => {
  const columns = (from: number, to: number) => picture(8, 8, (x) => [9, 9, 9, x >= from && x < to ? 255 : 0]);
  const frames = [columns(0, 3), columns(2, 8), columns(0, 0), columns(0, 8), columns(7, 8)];
  const decoded = (await decodeAnimation(await written(frames))).frames;
  expect(decoded.map(alphas)).toEqual(frames.map(alphas));
});

test('flat colours come back as they are', async () => {
  const [frame] = (await decodeAnimation(await written([patches(32)]))).frames;
  patchColors.forEach((color, i) => {
    expect(pixel(frame, 8 * (i % 4) + 4, 8 * Math.floor(i / 4) + 4)).toEqual([...color, 255]);
  });
});

test('of thousands of colours each pixel gets the nearest one that its frame has', async () => {
  const sunset = picture(128, 128, (x, y) => [255 - y / 2, 90 + x, 2 * Math.min(x, y), 255]);
  const originals = [sunset, sticker(128, 0.3)];
  const { frames } = await decodeAnimation(await written(originals));
  frames.forEach(({ data }, f) => {
    const at = (from: Uint8ClampedArray, i: number) => [from[i]!, from[i + 1]!, from[i + 2]!] as const;
    const colors = [
      ...new Map(Array.from(data, (_v, i) => (i % 4 ? [] : at(data, i))).map((c) => [`${c}`, c])).values(),
    ];
    const palette = colors.filter((color) => color.length > 0);
    expect(palette.length).toBeGreaterThan(100);
    expect(palette.length).toBeLessThanOrEqual(255);
    let squares = 0;
    for (let i = 0; i < data.length; i += 4) {
      const wanted = at(originals[f]!.data, i);
      const distance = (color: readonly number[]) =>
        wanted.reduce((sum, value, c) => sum + (value - color[c]!) ** 2, 0);
      const got = distance(at(data, i));
      expect(got).toBe(Math.min(...palette.map(distance)));
      squares += got;
    }
    expect(Math.sqrt(squares / ((3 * data.length) / 4))).toBeLessThan(6); // levels of 255
  });
});

test('any size, down to one pixel', async () => {
  const size = fc.integer({ min: 1, max: 17 });
  await fc.assert(
    fc.asyncProperty(size, size, async (width, height) => {
      const frame = (seed: number) =>
        picture(width, height, (x, y) => [10, 20, 30, (Math.imul(x + 31 * y + seed, 2654435761) >>> 24) & 255]);
      const frames = [frame(1), frame(2)];
      const decoded = (await decodeAnimation(await written(frames, 25))).frames;
      expect(decoded.map((one) => [one.width, one.height])).toEqual(Array(2).fill([width, height]));
      expect(decoded.map(alphas)).toEqual(frames.map((one) => alphas(one).map((alpha) => (alpha < 128 ? 0 : 255))));
    }),
    { numRuns: 20 },
  );
});

test('settings travel in it, and a viewer without animation has the first frame', async () => {
  const writer = new GifWriter({ width: 32, height: 32, fps: 12, paper });
  await writer.add(patches(32));
  await writer.add(picture(32, 32, () => [0, 0, 0, 0]));
  const file = writer.finish(sampleMetadata);
  expect(file.type).toBe('image/gif');
  expect(await readClipMetadata(file)).toEqual(sampleMetadata);
  expect((await decodeAnimation(file)).repetitionCount).toBe(Number.POSITIVE_INFINITY);
  const context = new OffscreenCanvas(32, 32).getContext('2d')!;
  context.drawImage(await createImageBitmap(file), 0, 0);
  expect(context.getImageData(0, 0, 32, 32).data).toEqual(patches(32).data);
});

test('a frame of another size is the caller’s mistake, and no frame is no file', async () => {
  const writer = new GifWriter({ width: 8, height: 8, fps: 12, paper });
  const frame = picture(8, 7, () => [0, 0, 0, 255]);
  await expect(writer.add(frame)).rejects.toThrow(new TypeError('frame is 8×7, expected 8×8'));
  expect(() => writer.finish()).toThrow(expect.objectContaining({ code: 'encoder' }));
});
