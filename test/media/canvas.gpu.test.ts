// The canvas as a source of frames and pixels, on both paths.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CanvasTaken, type CapturePath, GpuCanvas } from '../../src/media/canvas';
import { pictureColorSpace, videoColorSpace } from '../../src/media/encoder';
import { Mp4Sink } from '../../src/media/mp4';
import type { Pixels } from '../../src/media/pixels';
import { frameTiming } from '../../src/media/sink';
import { difference, patches, sticker, toRgb } from './art';

let device: GPUDevice;
beforeAll(async () => {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('no WebGPU adapter');
  device = await adapter.requestDevice();
  device.addEventListener('uncapturederror', (event) => {
    throw event.error;
  });
});
afterAll(() => device.destroy());

const paths = ['zero-copy', 'readback'] as const;

function open(path: CapturePath, size: number, alpha: boolean): GpuCanvas {
  return new GpuCanvas(device, new OffscreenCanvas(size, size), { path, alpha, usage: GPUTextureUsage.COPY_DST });
}

/** Writes premultiplied RGBA bytes, in whatever order the canvas keeps them. */
function draw(canvas: GpuCanvas, { width, height, data }: Pixels): void {
  const bytes = new Uint8Array(data);
  if (canvas.format === 'bgra8unorm') {
    for (let i = 0; i < bytes.length; i += 4) [bytes[i], bytes[i + 2]] = [bytes[i + 2]!, bytes[i]!];
  }
  device.queue.writeTexture({ texture: canvas.texture() }, bytes, { bytesPerRow: width * 4 }, [width, height]);
}

function clear(canvas: GpuCanvas, color: GPUColor): void {
  const encoder = device.createCommandEncoder();
  const view = canvas.texture().createView();
  encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store', clearValue: color }] }).end();
  device.queue.submit([encoder.finish()]);
}

/** What a 2D canvas shows. */
function shown(canvas: GpuCanvas): number[] {
  const context = new OffscreenCanvas(canvas.canvas.width, canvas.canvas.height).getContext('2d')!;
  context.drawImage(canvas.canvas, 0, 0);
  return [...context.getImageData(0, 0, 1, 1).data];
}

test.for(paths)('%s: read gives the pixels exactly, also with rows that WebGPU pads', async (path) => {
  for (const size of [20, 64, 100]) {
    const canvas = open(path, size, false);
    const original = patches(size);
    draw(canvas, original);
    expect(await canvas.read()).toEqual(original);
    canvas.dispose();
  }
});

test.for(paths)(
  '%s: read divides by alpha where the canvas has it, and makes it 255 where it has none',
  async (path) => {
    for (const [alpha, expected] of [
      [true, [128, 255, 0, 128]],
      [false, [64, 128, 0, 255]],
    ] as const) {
      const canvas = open(path, 16, alpha);
      clear(canvas, [64 / 255, 128 / 255, 0, 128 / 255]);
      const { data } = await canvas.read();
      for (let i = 0; i < data.length; i += 4) expect([...data.subarray(i, i + 4)]).toEqual(expected);
      canvas.dispose();
    }
  },
);

test.for(paths)('%s: what was drawn in this task is shown and captured, with its timing', async (path) => {
  const canvas = open(path, 64, false);
  for (const [index, color] of [
    [0, [1, 0, 0, 1]],
    [1, [0, 0.5, 1, 1]],
  ] as const) {
    clear(canvas, [...color]);
    const timing = frameTiming(index, 12);
    const frame = await canvas.capture(timing);
    const wanted = color.map((value) => Math.round(value * 255));
    if (path === 'readback') expect(shown(canvas)).toEqual(wanted);
    expect({ timestamp: frame.timestamp, duration: frame.duration }).toEqual(timing);
    expect([frame.displayWidth, frame.displayHeight]).toEqual([64, 64]);
    expect(frame.colorSpace.toJSON()).toEqual(path === 'readback' ? videoColorSpace : pictureColorSpace);
    const rgb = path === 'readback' ? await toRgb(frame) : await copyRgba(frame);
    wanted.slice(0, 3).forEach((value, c) => {
      expect(Math.abs(rgb[c]! - value), `${index}: ${rgb.subarray(0, 3)}`).toBeLessThanOrEqual(
        path === 'readback' ? 2 : 0,
      );
    });
    frame.close();
  }
  canvas.dispose();
});

async function copyRgba(frame: VideoFrame): Promise<Uint8Array> {
  const data = new Uint8Array(frame.allocationSize({ format: 'RGBA' }));
  await frame.copyTo(data, { format: 'RGBA' });
  return data;
}

test.for(paths)('%s: show alone shows it too', async (path) => {
  const canvas = open(path, 16, false);
  clear(canvas, [0, 1, 0, 1]);
  if (path === 'zero-copy') expect(shown(canvas)).toEqual([0, 255, 0, 255]); // A WebGPU canvas is only readable in its task.
  await canvas.show();
  if (path === 'readback') expect(shown(canvas)).toEqual([0, 255, 0, 255]);
  canvas.dispose();
});

test.for(paths)('%s: a canvas with alpha gives straight alpha', async (path) => {
  const canvas = open(path, 32, true);
  clear(canvas, [64 / 255, 128 / 255, 0, 128 / 255]);
  const frame = await canvas.capture(frameTiming(0, 12));
  expect([...(await copyRgba(frame)).subarray(0, 4)]).toEqual([128, 255, 0, 128]);
  frame.close();
  canvas.dispose();
});

test.for(paths)('%s: a canvas that changes its size draws at the new one', async (path) => {
  const canvas = open(path, 16, false);
  clear(canvas, [1, 0, 0, 1]);
  await canvas.show();
  canvas.canvas.width = 48;
  canvas.canvas.height = 32;
  clear(canvas, [0, 0, 1, 1]);
  const { width, height, data } = await canvas.read();
  expect([width, height, ...data.subarray(-4)]).toEqual([48, 32, 0, 0, 255, 255]);
  canvas.dispose();
});

test('a canvas that was opened on one path cannot be opened on the other', () => {
  const canvas = open('readback', 16, false);
  expect(() => new GpuCanvas(device, canvas.canvas, { path: 'zero-copy', alpha: false })).toThrow(
    'opened for something',
  );
});

test.for(paths)('canvas → %s → MP4 → pixels, within codec tolerance', async (path) => {
  const size = 256;
  const canvas = open(path, size, false);
  const pictures = [patches(size), ...Array.from({ length: 11 }, (_, i) => sticker(size, i / 11))];
  const frames: VideoFrame[] = [];
  const sink = await Mp4Sink.open({ width: size, height: size, fps: 12 });
  for (const [i, pixels] of pictures.entries()) {
    draw(canvas, pixels);
    const frame = await canvas.capture(frameTiming(i, 12));
    frames.push(frame);
    await sink.add(frame);
  }
  const clip = await sink.close();
  canvas.dispose();
  expect(frames.filter((frame) => frame.format !== null)).toEqual([]);

  const { ALL_FORMATS, BlobSource, Input, VideoSampleSink } = await import('mediabunny');
  const input = new Input({ source: new BlobSource(clip.blob), formats: ALL_FORMATS });
  const differences = [];
  for await (const sample of new VideoSampleSink((await input.getPrimaryVideoTrack())!).samples()) {
    const frame = sample.toVideoFrame();
    expect(frame.colorSpace.toJSON()).toEqual(videoColorSpace);
    differences.push(difference(await toRgb(frame), pictures[differences.length]!));
    frame.close();
    sample.close();
  }
  input.dispose();
  expect(differences).toHaveLength(12);
  const mean = Math.max(...differences.map((d) => d.mean));
  const worstPatch = differences[0]!.worstPatch;
  console.info(`${path}: worst frame ${mean.toFixed(2)}, worst colour patch ${worstPatch.toFixed(2)}`);
  expect(mean).toBeLessThan(2);
  expect(worstPatch).toBeLessThan(2.5);
});

test('a lost device ends reading with a plain error', async () => {
  const adapter = await navigator.gpu.requestAdapter();
  const doomed = await adapter!.requestDevice();
  const canvas = new GpuCanvas(doomed, new OffscreenCanvas(16, 16), { path: 'readback', alpha: false });
  canvas.texture();
  const reading = canvas.read();
  doomed.destroy();
  await expect(reading).rejects.toMatchObject({ code: 'device-lost' });
});

test('a frame for whose pixels there is no room is told as such, not as a lost device', async () => {
  const adapter = await navigator.gpu.requestAdapter();
  const full = await adapter!.requestDevice();
  full.addEventListener('uncapturederror', (event) => event.preventDefault());
  // What a full GPU does: an invalid buffer (here by its usage), and an error in the scope.
  const createBuffer = full.createBuffer.bind(full);
  full.createBuffer = (descriptor) => createBuffer({ ...descriptor, usage: descriptor.usage | GPUBufferUsage.STORAGE });
  const pushErrorScope = full.pushErrorScope.bind(full);
  full.pushErrorScope = () => pushErrorScope('validation');
  const canvas = new GpuCanvas(full, new OffscreenCanvas(16, 16), { path: 'readback', alpha: false });
  await expect(canvas.read()).rejects.toMatchObject({ code: 'out-of-memory' });
  full.destroy();
});

test.for(paths)('a canvas that was on another path before is refused: %s', (path) => {
  const canvas = new OffscreenCanvas(8, 8);
  const other = path === 'readback' ? 'zero-copy' : 'readback';
  new GpuCanvas(device, canvas, { path: other, alpha: false });
  expect(() => new GpuCanvas(device, canvas, { path, alpha: false })).toThrow(CanvasTaken);
});
