// Animated PNG, read back by the browser's own decoder: every frame to the last bit, timing, loop, settings.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ApngWriter } from '../../src/media/apng';
import { readClipMetadata } from '../../src/media/metadata';
import type { Pixels } from '../../src/media/pixels';
import { decodeAnimation } from './animation';
import { sampleMetadata } from './samples';

/** Colour where there is alpha: a decoder may lose what nobody sees. */
function frame(width: number, height: number, seed: number): Pixels {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < data.length; i++) data[i] = Math.imul(i + seed * 7919, 2654435761) >>> 24;
  for (let i = 3; i < data.length; i += 4) if (i % 3 === 0) data[i] = 255;
  return { width, height, data };
}

/** Opaque pixels must be exact, others within what premultiplying and back may lose. */
function expectSame(actual: Uint8ClampedArray, expected: Uint8ClampedArray): void {
  for (let i = 0; i < expected.length; i += 4) {
    const alpha = expected[i + 3]!;
    expect(actual[i + 3]).toBe(alpha);
    const tolerance = alpha === 255 ? 0 : 255 / Math.max(alpha, 1);
    for (let c = i; c < i + 3; c++) expect(Math.abs(actual[c]! - expected[c]!)).toBeLessThanOrEqual(tolerance);
  }
}

async function written(frames: readonly Pixels[], fps: number): Promise<Blob> {
  const { width, height } = frames[0]!;
  const writer = new ApngWriter({ width, height, fps });
  for (const pixels of frames) await writer.add(pixels);
  return writer.finish();
}

test('every frame comes back, for its time, for ever', async () => {
  const frames = [frame(32, 20, 1), frame(32, 20, 2), frame(32, 20, 3)];
  const { frames: decoded, repetitionCount } = await decodeAnimation(await written(frames, 12));
  expect(repetitionCount).toBe(Number.POSITIVE_INFINITY);
  expect(decoded).toHaveLength(3);
  decoded.forEach(({ data, duration }, i) => {
    expectSame(data, frames[i]!.data);
    expect(duration / 1e6).toBeCloseTo(1 / 12, 3);
  });
});

test('any size, down to one pixel', async () => {
  const size = fc.integer({ min: 1, max: 17 });
  await fc.assert(
    fc.asyncProperty(size, size, async (width, height) => {
      const frames = [frame(width, height, 4), frame(width, height, 5)];
      const { frames: decoded } = await decodeAnimation(await written(frames, 25));
      expect(decoded).toHaveLength(2);
      decoded.forEach(({ data }, i) => {
        expectSame(data, frames[i]!.data);
      });
    }),
    { numRuns: 20 },
  );
});

test('settings travel in it, and a viewer without animation has the first frame', async () => {
  const writer = new ApngWriter({ width: 8, height: 8, fps: 12 });
  const first = frame(8, 8, 1);
  first.data.fill(255, 0, 8 * 4);
  await writer.add(first);
  await writer.add(frame(8, 8, 2));
  const file = writer.finish(sampleMetadata);
  expect(await readClipMetadata(file)).toEqual(sampleMetadata);
  const context = new OffscreenCanvas(8, 8).getContext('2d')!;
  context.drawImage(await createImageBitmap(file), 0, 0);
  expect([...context.getImageData(0, 0, 8, 1).data]).toEqual(new Array(32).fill(255));
});

test('a frame of another size is the caller’s mistake, and no frame is no file', async () => {
  const writer = new ApngWriter({ width: 8, height: 8, fps: 12 });
  await expect(writer.add(frame(8, 7, 1))).rejects.toThrow('frame is 8×7, expected 8×8');
  expect(() => writer.finish()).toThrow('no frame');
});
