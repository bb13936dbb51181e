// Pictures in ordinary memory: to PNG and back, alpha, the colours of video.
import { expect, test } from 'vitest';
import { toI420, toPng, unpremultiply } from '../../src/media/pixels';
import { patches } from './art';

test('a still PNG keeps colours and transparency', async () => {
  const pixels = patches(32);
  pixels.data.set([10, 20, 30, 0], 0);
  pixels.data.set([255, 255, 0, 51], 4);
  const png = await toPng(pixels);
  expect(png.type).toBe('image/png');
  const image = await createImageBitmap(png);
  const context = new OffscreenCanvas(32, 32).getContext('2d')!;
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, 32, 32);
  expect(data[3]).toBe(0);
  expect([...data.subarray(4, 8)]).toEqual([255, 255, 0, 51]);
  expect(data.subarray(8)).toEqual(pixels.data.subarray(8));
});

test('unpremultiply: the colour comes back where alpha is not 0', () => {
  const data = Uint8ClampedArray.of(64, 128, 0, 128, 9, 9, 9, 0, 1, 2, 3, 255, 200, 200, 200, 100);
  unpremultiply(data);
  expect([...data]).toEqual([128, 255, 0, 128, 0, 0, 0, 0, 1, 2, 3, 255, 255, 255, 255, 100]);
});

test('video colours: the known values of Rec. 709', () => {
  const of = (r: number, g: number, b: number) => {
    const data = Uint8ClampedArray.from(Array.from({ length: 4 }, () => [r, g, b, 255]).flat());
    const planes = toI420({ width: 2, height: 2, data });
    return [planes[0], planes[4], planes[5]];
  };
  expect(of(255, 255, 255)).toEqual([235, 128, 128]);
  expect(of(0, 0, 0)).toEqual([16, 128, 128]);
  expect(of(255, 0, 0)).toEqual([63, 102, 240]);
  expect(of(0, 255, 0)).toEqual([173, 42, 26]);
  expect(of(0, 0, 255)).toEqual([32, 240, 118]);
  expect(() => toI420({ width: 3, height: 2, data: new Uint8ClampedArray(24) })).toThrow('3×2');
});

test('each pixel has its own luma; the four of a square share the mean of their colours', () => {
  const [red, green, blue, black] = [
    [255, 0, 0, 255],
    [0, 255, 0, 255],
    [0, 0, 255, 255],
    [0, 0, 0, 255],
  ] as const;
  const of = (...colors: (readonly number[])[]) => [
    ...toI420({ width: 2, height: 2, data: Uint8ClampedArray.from(colors.flat()) }),
  ];
  // Their mean is grey, which has no chroma.
  expect(of(red, green, blue, black)).toEqual([63, 173, 32, 16, 128, 128]);
  expect(of(black, blue, green, red)).toEqual([16, 32, 173, 63, 128, 128]);
  // Half red, half blue: halfway between 102 and 240, and between 240 and 118.
  expect(of(red, red, blue, blue)).toEqual([63, 63, 32, 32, 171, 179]);
});
