// Pictures in ordinary memory: RGBA pixels, their conversion to video colours and to PNG. No GPU here.
import { pictureColorSpace, videoColorSpace } from './encoder';
import { addXmpToPng, type ClipMetadata } from './metadata';
import type { FrameTiming } from './sink';

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** RGBA, row by row without padding, sRGB; alpha is straight (not premultiplied). */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** Colour divided by alpha, rounded, in place: WebGPU canvases hold premultiplied colours, pictures do not. */
export function unpremultiply(data: Uint8ClampedArray): void {
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3]!;
    if (alpha === 255) continue;
    for (let c = i; c < i + 3; c++) data[c] = alpha === 0 ? 0 : (data[c]! * 255) / alpha;
  }
}

/** Straight 8-bit RGBA to premultiplied RGBA in 0..1, as models take frames. */
export function premultiplied({ data }: Pixels): Float32Array<ArrayBuffer> {
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3]! / 255;
    for (let c = i; c < i + 3; c++) out[c] = (data[c]! / 255) * alpha;
    out[i + 3] = alpha;
  }
  return out;
}

/** `#rrggbb` as numbers in 0..1. */
export function rgb(color: string): [number, number, number] {
  const value = Number.parseInt(color.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

/** Luma weights of Rec. ITU-R BT.709, item 3.2. */
const luma = { r: 0.2126, g: 0.7152, b: 0.0722 } as const;

/**
 * RGBA → 4:2:0 in Rec. 709, narrow range; chroma is the mean of its 2×2 pixels. Alpha is ignored: composite first.
 * An encoder that is given RGBA converts it too, but to Rec. 601 with SMPTE 170M primaries, which are not sRGB's.
 * Width and height are even.
 */
export function toI420({ width, height, data }: Pixels): Uint8Array<ArrayBuffer> {
  if (width % 2 !== 0 || height % 2 !== 0) throw new TypeError(`picture is ${width}×${height}, expected even numbers`);
  const size = width * height;
  const planes = new Uint8Array((size * 3) / 2);
  for (let i = 0; i < size; i++) {
    const y = luma.r * data[4 * i]! + luma.g * data[4 * i + 1]! + luma.b * data[4 * i + 2]!;
    planes[i] = Math.round(16 + (219 / 255) * y);
  }
  let u = size;
  let v = size + size / 4;
  for (let row = 0; row < height; row += 2) {
    for (let column = 0; column < width; column += 2) {
      const first = 4 * (row * width + column);
      const mean = (c: number) =>
        (data[first + c]! + data[first + 4 + c]! + data[first + 4 * width + c]! + data[first + 4 * width + 4 + c]!) / 4;
      const [r, g, b] = [mean(0), mean(1), mean(2)];
      const y = luma.r * r + luma.g * g + luma.b * b;
      planes[u++] = Math.round(128 + (224 / 255) * ((b - y) / (2 - 2 * luma.b)));
      planes[v++] = Math.round(128 + (224 / 255) * ((r - y) / (2 - 2 * luma.r)));
    }
  }
  return planes;
}

/** A frame for a video encoder, in the colours that the video will have. The alpha of the pixels is ignored. */
export function videoFrame(pixels: Pixels, timing: FrameTiming): VideoFrame {
  return new VideoFrame(toI420(pixels), {
    format: 'I420',
    codedWidth: pixels.width,
    codedHeight: pixels.height,
    colorSpace: videoColorSpace,
    ...timing,
  });
}

/** A frame with alpha. */
export function pictureFrame({ width, height, data }: Pixels, timing: FrameTiming): VideoFrame {
  return new VideoFrame(data, {
    format: 'RGBA',
    codedWidth: width,
    codedHeight: height,
    colorSpace: pictureColorSpace,
    ...timing,
  });
}

/** A still picture, transparency and settings included. */
export async function toPng({ width, height, data }: Pixels, metadata?: ClipMetadata): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no 2D canvas');
  context.putImageData(new ImageData(data, width, height), 0, 0);
  const png = await canvas.convertToBlob({ type: 'image/png' });
  return metadata ? addXmpToPng(png, metadata) : png;
}
