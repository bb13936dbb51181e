// Does this browser hand a WebGPU canvas to a VideoFrame rightly? Some give black, or the picture before.
// Known pictures are drawn and read back once; it repairs nothing, it only chooses the path.
import { messageOf } from '../gpu/errors';
import { findAdapter } from '../gpu/open';
import { isSoftwareAdapter } from '../gpu/software';
import { type CapturePath, GpuCanvas } from './canvas';
import type { FrameTiming } from './sink';

export interface SelfCheck {
  readonly path: CapturePath;
  /** Why it is not 'zero-copy', for the console. */
  readonly problem: string | null;
}

export interface SelfCheckOptions {
  /** The kind of canvas, as in CanvasOptions. */
  readonly alpha?: boolean;
  /** How frames are made, for tests; must take what is drawn before it waits. */
  readonly capture?: (canvas: GpuCanvas, timing: FrameTiming) => Promise<VideoFrame>;
}

type Color = readonly [r: number, g: number, b: number, a: number];

/** Premultiplied, 0 to 255. Channels all differ, so that a swap of two shows; one is half transparent. */
const palette: readonly Color[] = [
  [230, 40, 90, 255],
  [20, 200, 110, 255],
  [64, 128, 0, 128],
  [10, 60, 240, 255],
];

const size = 64;
/** A colour may be off by this much: dividing by a half alpha doubles a rounding error. */
const tolerance = 4;

/**
 * The path for an opaque canvas on this adapter: 'zero-copy' where `checkCapture` finds it right, but not in software.
 * There Chromium copies each WebGPU canvas, and each VideoFrame of one, through memory by itself, and its GPU process
 * waits each time until all that the page has drawn so far is rasterised: seconds, for which submits, and with them a
 * cancel, are held up. Ask before any other device is made.
 */
export async function chooseCapture(): Promise<SelfCheck> {
  const adapter = await findAdapter();
  if (!adapter || !isSoftwareAdapter(adapter.info)) return checkCapture();
  return { path: 'readback', problem: 'the adapter is a processor, so that nothing is saved by sharing a canvas' };
}

/**
 * Draws four quadrants twice in one task, as frames of a clip are, with the colours moved on the second time: shows black
 * frames, stale frames, frames that change with the canvas, swapped channels, upside-down frames and wrong alpha. Never
 * throws: whatever fails, 'readback' is the answer.
 *
 * Ask before any other device is made: in a headless Chromium without Vulkan the mere touch of a WebGPU canvas ends
 * every device there is (devices made later work). For the same reason it uses a device of its own.
 *
 * @example
 * const { path } = await checkCapture(); // before openGpu
 * const gpu = await openGpu();
 * const canvas = new GpuCanvas(gpu.device, offscreen, { path, alpha: false });
 */
export async function checkCapture(options: SelfCheckOptions = {}): Promise<SelfCheck> {
  const { alpha = false, capture = (drawn, timing) => drawn.capture(timing) } = options;
  const frames: VideoFrame[] = [];
  let device: GPUDevice | undefined;
  try {
    const adapter = await findAdapter();
    device = await adapter?.requestDevice();
    if (!device) throw new Error('no adapter');
    const offscreen = new OffscreenCanvas(size, size);
    const canvas = new GpuCanvas(device, offscreen, { path: 'zero-copy', alpha, usage: GPUTextureUsage.COPY_DST });
    for (let turn = 0; turn < 2; turn++) {
      draw(device, canvas, turned(turn));
      frames.push(await capture(canvas, { timestamp: turn * 1000, duration: 1000 }));
    }
    for (const [turn, frame] of frames.entries()) {
      const problem = compare(await readRgba(frame), turned(turn), alpha);
      if (problem) return { path: 'readback', problem };
    }
    return { path: 'zero-copy', problem: null };
  } catch (error) {
    return { path: 'readback', problem: messageOf(error) };
  } finally {
    for (const frame of frames) frame.close();
    // A loss that is still on its way must not hit the devices made next.
    await device?.queue.onSubmittedWorkDone().catch(() => {});
    device?.destroy();
  }
}

function turned(turn: number): Color[] {
  return palette.map((_, i) => palette[(i + turn) % palette.length]!);
}

function quadrant(x: number, y: number): number {
  return (y < size / 2 ? 0 : 2) + (x < size / 2 ? 0 : 1);
}

function draw(device: GPUDevice, canvas: GpuCanvas, colors: readonly Color[]): void {
  const swap = canvas.format === 'bgra8unorm';
  const data = new Uint8Array(size * size * 4);
  for (let i = 0; i < size * size; i++) {
    const [r, g, b, a] = colors[quadrant(i % size, Math.floor(i / size))]!;
    data.set(swap ? [b, g, r, a] : [r, g, b, a], 4 * i);
  }
  device.queue.writeTexture({ texture: canvas.texture() }, data, { bytesPerRow: size * 4 }, [size, size]);
}

/** Pixels of a frame. A browser may refuse to convert in copyTo, but any can draw a frame. */
async function readRgba(frame: VideoFrame): Promise<Uint8Array | Uint8ClampedArray> {
  const { width, height } = frame.visibleRect ?? { width: frame.codedWidth, height: frame.codedHeight };
  if (width !== size || height !== size) throw new Error(`the frame is ${width}×${height}, drawn were ${size}×${size}`);
  try {
    const data = new Uint8Array(size * size * 4);
    await frame.copyTo(data, { format: 'RGBA', layout: [{ offset: 0, stride: size * 4 }] });
    return data;
  } catch {
    const context = new OffscreenCanvas(size, size).getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('no 2D canvas');
    context.drawImage(frame, 0, 0);
    return context.getImageData(0, 0, size, size).data;
  }
}

function compare(data: Uint8Array | Uint8ClampedArray, colors: readonly Color[], alpha: boolean): string | null {
  for (let i = 0; i < 4; i++) {
    const [x, y] = [i % 2 === 0 ? size / 4 : (size * 3) / 4, i < 2 ? size / 4 : (size * 3) / 4];
    const found = [...data.subarray(4 * (y * size + x), 4 * (y * size + x) + 4)];
    const [r, g, b, a] = colors[i]!;
    // Frames have straight alpha; an opaque canvas ignores alpha and keeps the colour as it was drawn.
    const expected = alpha ? [r, g, b].map((c) => Math.round((c * 255) / a)).concat(a) : [r, g, b, 255];
    if (expected.some((value, c) => Math.abs(value - found[c]!) > tolerance)) {
      return `drawn (${expected.join(', ')}) at ${x},${y}, the frame has (${found.join(', ')})`;
    }
  }
  return null;
}
