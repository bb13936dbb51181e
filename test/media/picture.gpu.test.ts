// A visitor's picture: fitted whole, transparency kept, hashed as given; other files refused in words.
import { expect, test } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import { fitted, readPicture } from '../../src/media/picture';
import { premultiplied } from '../../src/media/pixels';

const side = 128;

/** A PNG drawn here. */
async function png(width: number, height: number, draw: (context: OffscreenCanvasRenderingContext2D) => void) {
  const canvas = new OffscreenCanvas(width, height);
  draw(canvas.getContext('2d')!);
  return new File([await canvas.convertToBlob({ type: 'image/png' })], 'a picture.png', { type: 'image/png' });
}

const red = (width: number, height: number) =>
  png(width, height, (context) => {
    context.fillStyle = '#ff0000';
    context.fillRect(0, 0, width, height);
  });

async function pixel(file: File, x: number, y: number): Promise<number[]> {
  const { data } = (await readPicture(file, side)).pixels;
  return [...data.slice(4 * (y * side + x), 4 * (y * side + x) + 4)];
}

test('a picture of the model’s size comes through as it is', async () => {
  const file = await png(side, side, (context) => {
    context.fillStyle = 'rgb(20 200 90)';
    context.fillRect(3, 5, 7, 9);
  });
  const { pixels, name } = await readPicture(file, side);
  expect(name).toBe('a picture.png');
  expect([pixels.width, pixels.height, pixels.data.length]).toEqual([side, side, side * side * 4]);
  expect(await pixel(file, 3, 5)).toEqual([20, 200, 90, 255]);
  expect(await pixel(file, 2, 5)).toEqual([0, 0, 0, 0]);
});

type Place = readonly [x: number, y: number] | undefined;

test.each<[string, number, number, Place, Place]>([
  ['wide', 400, 200, [64, 20], [64, 64]],
  ['tall', 50, 100, [20, 64], [64, 64]],
  ['one pixel high', 1000, 1, [64, 60], undefined],
  ['tiny', 1, 1, undefined, [0, 127]],
])('a %s one is fitted whole into the middle', async (_name, width, height, outside, inside) => {
  const file = await red(width, height);
  if (outside) expect(await pixel(file, ...outside)).toEqual([0, 0, 0, 0]);
  if (inside) expect(await pixel(file, ...inside)).toEqual([255, 0, 0, 255]);
});

test('where it is fitted', () => {
  expect(fitted(400, 200, 128)).toEqual({ x: 0, y: 32, width: 128, height: 64 });
  expect(fitted(1, 10_000, 128)).toEqual({ x: 63.5, y: 0, width: 1, height: 128 });
});

test('half transparent stays half transparent, and the model takes it premultiplied', async () => {
  const file = await png(64, 64, (context) => {
    context.fillStyle = 'rgb(255 255 255 / 50%)';
    context.fillRect(0, 0, 64, 64);
  });
  const { pixels } = await readPicture(file, side);
  expect(pixels.data[3]).toBeCloseTo(128, -0.5);
  const [r, , , a] = premultiplied(pixels);
  expect(a).toBeCloseTo(0.5, 1);
  expect(r).toBeCloseTo(a!, 2);
  expect(premultiplied({ width: 1, height: 1, data: Uint8ClampedArray.of(255, 51, 0, 51) })).toEqual(
    Float32Array.of(0.2, 0.04, 0, 0.2).map((value) => Math.fround(value)),
  );
});

test('the hash is that of the file', async () => {
  const file = await red(8, 8);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
  expect((await readPicture(file, side)).sha256).toBe(
    Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''),
  );
});

test('an SVG is a picture too', async () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><rect width="20" height="20" fill="#f00"/></svg>';
  expect(await pixel(new File([svg], 'a.svg', { type: 'image/svg+xml' }), 64, 64)).toEqual([255, 0, 0, 255]);
});

test.each<[string, () => File | Promise<File>, RegExp]>([
  ['text', () => new File(['hello'], 'notes.txt', { type: 'text/plain' }), /“notes.txt” is not a picture/],
  [
    'text that calls itself a PNG',
    () => new File(['hello'], 'a.png', { type: 'image/png' }),
    /“a.png” is not a picture/,
  ],
  ['an empty file', () => new File([], 'a.png', { type: 'image/png' }), /“a.png” is empty/],
  ['half a PNG', async () => new File([(await red(64, 64)).slice(0, 60)], 'a.png'), /“a.png” shows nothing.*cut off/],
  ['nothing but transparency', () => png(9, 9, () => {}), /“a picture.png” shows nothing/],
  ['64 MB and more', () => new File([new Uint8Array(64e6 + 1)], 'a.png'), /65 MB.*may have 64 MB/],
  ['a long name', () => new File(['x'], `${'n'.repeat(300)}.png`), /“n{40}…”/],
])('%s is refused in words', async (_name, file, words) => {
  const error = await readPicture(await file(), side).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(FlipbookError);
  expect(error).toMatchObject({ code: 'input', message: expect.stringMatching(words) });
  expect((error as FlipbookError).hint).not.toBe('');
});
