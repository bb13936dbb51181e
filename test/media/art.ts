// Pictures for media tests: known colour patches, and moving sticker art with the edges and flat areas of the real one.
import type { Pixels } from '../../src/media/pixels';

/** Sixteen colours, 4×4: primaries, greys, skin, dark and pale ones. */
export const patchColors: readonly (readonly [number, number, number])[] = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 0],
  [0, 255, 255],
  [255, 0, 255],
  [255, 255, 255],
  [0, 0, 0],
  [128, 128, 128],
  [200, 120, 60],
  [30, 60, 90],
  [250, 200, 180],
  [100, 0, 50],
  [0, 100, 50],
  [50, 0, 100],
  [255, 248, 233],
];

export function patches(size: number): Pixels {
  const data = new Uint8ClampedArray(size * size * 4);
  for (let i = 0; i < size * size; i++) {
    const patch = Math.floor((4 * Math.floor(i / size)) / size) * 4 + Math.floor((4 * (i % size)) / size);
    data.set([...patchColors[patch]!, 255], 4 * i);
  }
  return { width: size, height: size, data };
}

/** Outlined discs on a circle, at phase 0 … 1; a browser's 2D canvas draws them. */
export function sticker(size: number, phase: number): Pixels {
  const context = new OffscreenCanvas(size, size).getContext('2d', { willReadFrequently: true })!;
  const turn = phase * 2 * Math.PI;
  context.fillStyle = '#fff8e9';
  context.fillRect(0, 0, size, size);
  context.lineWidth = size / 40;
  context.strokeStyle = '#222222';
  const disc = (x: number, y: number, radius: number, color: string) => {
    context.fillStyle = color;
    context.beginPath();
    context.arc(x * size, y * size, radius * size, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  };
  const sway = 0.5 + 0.1 * Math.sin(turn);
  disc(sway, 0.62, 0.28, '#f9a03f');
  disc(sway, 0.35 + 0.04 * Math.cos(2 * turn), 0.2, '#ffd166');
  disc(sway - 0.08, 0.32, 0.03, '#ffffff');
  disc(sway + 0.08, 0.32, 0.03, '#2d6cdf');
  disc(0.2, 0.2 + 0.1 * Math.cos(turn), 0.08, '#e63946');
  return { width: size, height: size, data: context.getImageData(0, 0, size, size).data };
}

/**
 * RGB of a decoded frame by the formulas of Rec. 709 or 601: copyTo's own conversion is off by up to 12 in blues. Firefox gives RGB
 * itself.
 */
export async function toRgb(frame: VideoFrame): Promise<Uint8ClampedArray> {
  const { width, height } = frame.visibleRect!;
  if (frame.format === 'BGRX') {
    const bgrx = new Uint8Array(frame.allocationSize());
    await frame.copyTo(bgrx);
    return Uint8ClampedArray.from({ length: 3 * width * height }, (_, i) => bgrx[4 * Math.floor(i / 3) + 2 - (i % 3)]!);
  }
  if (frame.format !== 'I420') throw new Error(`decoded to ${frame.format}, expected I420`);
  const half = { width: Math.ceil(width / 2), height: Math.ceil(height / 2) };
  const planes = new Uint8Array(width * height + 2 * half.width * half.height);
  const u = width * height;
  const v = u + half.width * half.height;
  await frame.copyTo(planes, {
    layout: [
      { offset: 0, stride: width },
      { offset: u, stride: half.width },
      { offset: v, stride: half.width },
    ],
  });
  return planesToRgb(planes, width, height, frame.colorSpace.matrix);
}

/** 4:2:0 planes in the narrow range, one after the other without padding. */
export function planesToRgb(planes: Uint8Array, width: number, height: number, matrix: string | null) {
  const halfWidth = Math.ceil(width / 2);
  const u = width * height;
  const v = u + halfWidth * Math.ceil(height / 2);
  const [kr, kb] = matrix === 'bt709' ? [0.2126, 0.0722] : [0.299, 0.114];
  const rgb = new Uint8ClampedArray(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const chroma = Math.floor(Math.floor(i / width) / 2) * halfWidth + Math.floor((i % width) / 2);
    const y = (planes[i]! - 16) / 219;
    const pb = (planes[u + chroma]! - 128) / 224;
    const pr = (planes[v + chroma]! - 128) / 224;
    const r = y + 2 * (1 - kr) * pr;
    const b = y + 2 * (1 - kb) * pb;
    const g = (y - kr * r - kb * b) / (1 - kr - kb);
    rgb.set([255 * r, 255 * g, 255 * b], 3 * i);
  }
  return rgb;
}

export interface Difference {
  /** Mean absolute error over all channels, 0 … 255. */
  readonly mean: number;
  /** The worst patch: mean absolute error over the middle quarter of one of the 4×4 patches. */
  readonly worstPatch: number;
}

/** `rgb` has 3 channels a pixel. */
export function difference(rgb: ArrayLike<number>, original: Pixels): Difference {
  const { width, height, data } = original;
  const sums = new Float64Array(16);
  const counts = new Float64Array(16);
  let total = 0;
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [((i % width) * 4) / width, (Math.floor(i / width) * 4) / height];
    const error = [0, 1, 2].reduce((sum, c) => sum + Math.abs(rgb[3 * i + c]! - data[4 * i + c]!), 0) / 3;
    total += error;
    if (Math.abs((x % 1) - 0.5) > 0.25 || Math.abs((y % 1) - 0.5) > 0.25) continue;
    const patch = Math.floor(y) * 4 + Math.floor(x);
    sums[patch]! += error;
    counts[patch]! += 1;
  }
  return { mean: total / (width * height), worstPatch: Math.max(...sums.map((sum, i) => sum / counts[i]!)) };
}
