// The self-check that chooses between the canvas's two paths, on this browser and on captures that are wrong on purpose.
import { expect, test, vi } from 'vitest';
import type { GpuCanvas } from '../../src/media/canvas';
import { checkCapture, chooseCapture } from '../../src/media/selfcheck';

test('the self-check finds zero-copy right here, opaque and with alpha', async () => {
  for (const alpha of [false, true]) {
    expect(await checkCapture({ alpha })).toEqual({ path: 'zero-copy', problem: null });
  }
});

test.for([
  [
    'readback',
    'a fallback',
    { vendor: 'acme', architecture: '', device: '', description: '', isFallbackAdapter: true },
  ],
  ['readback', 'a software', { vendor: 'google', architecture: 'swiftshader', isFallbackAdapter: false }],
  ['zero-copy', 'any other', { vendor: 'acme', architecture: 'rtx', isFallbackAdapter: false }],
] as const)('%s is the path on %s adapter', async ([path, , info]) => {
  const told = vi.spyOn(GPUAdapter.prototype, 'info', 'get').mockReturnValue(info as GPUAdapterInfo);
  const canvases = vi.spyOn(OffscreenCanvas.prototype, 'getContext');
  try {
    expect((await chooseCapture()).path).toBe(path);
    expect(canvases.mock.calls.length > 0, 'a WebGPU canvas was made').toBe(path === 'zero-copy');
  } finally {
    told.mockRestore();
    canvases.mockRestore();
  }
});

const rgba = (data: Uint8ClampedArray<ArrayBuffer>, size = 64) =>
  new VideoFrame(data, { format: 'RGBA', codedWidth: size, codedHeight: size, timestamp: 0 });

test.for([
  ['black frames', async () => rgba(new Uint8ClampedArray(64 * 64 * 4)), 'the frame has (0, 0, 0, 0)'],
  [
    'the frame before',
    (() => {
      let last: Uint8ClampedArray<ArrayBuffer> | undefined;
      return async (canvas: GpuCanvas) => {
        const { data } = await canvas.read();
        last ??= data;
        return rgba(last);
      };
    })(),
    'the frame has',
  ],
  [
    'red and blue swapped',
    async (canvas: GpuCanvas) => {
      const { data } = await canvas.read();
      for (let i = 0; i < data.length; i += 4) [data[i], data[i + 2]] = [data[i + 2]!, data[i]!];
      return rgba(data);
    },
    'the frame has',
  ],
  [
    'upside down',
    async (canvas: GpuCanvas) => {
      const { data } = await canvas.read();
      const rows = Array.from({ length: 64 }, (_, y) => data.slice(y * 256, (y + 1) * 256)).reverse();
      for (const [y, row] of rows.entries()) data.set(row, y * 256);
      return rgba(data);
    },
    'the frame has',
  ],
  ['another size', async () => rgba(new Uint8ClampedArray(32 * 32 * 4), 32), '32×32'],
  ['a refusal', () => Promise.reject(new DOMException('not origin-clean', 'SecurityError')), 'not origin-clean'],
] as const)('the self-check sees %s', async ([, capture, words]) => {
  const made: VideoFrame[] = [];
  const result = await checkCapture({
    capture: async (canvas) => {
      const frame = await capture(canvas);
      made.push(frame);
      return frame;
    },
  });
  expect(result.path).toBe('readback');
  expect(result.problem).toContain(words);
  expect(made.filter((frame) => frame.format !== null)).toEqual([]);
});

test('the self-check sees frames that change with the canvas', async () => {
  const views: Uint8ClampedArray<ArrayBuffer>[] = [];
  const capture = async (canvas: GpuCanvas) => {
    const { data } = await canvas.read();
    views.push(data);
    const frame = rgba(data);
    // Every frame shows what was drawn last, however long ago it was taken.
    frame.copyTo = async (target) => {
      (target as Uint8Array).set(views.at(-1)!);
      return [];
    };
    return frame;
  };
  expect((await checkCapture({ capture })).path).toBe('readback');
});

test('the self-check sees premultiplied colours where straight ones are due', async () => {
  const capture = async (canvas: GpuCanvas) => {
    const pixels = await canvas.read();
    for (let i = 0; i < pixels.data.length; i++) {
      if (i % 4 < 3) pixels.data[i] = (pixels.data[i]! * pixels.data[i - (i % 4) + 3]!) / 255;
    }
    return rgba(pixels.data);
  };
  expect((await checkCapture({ alpha: true, capture })).path).toBe('readback');
});

test('the self-check runs in a worker', async () => {
  const worker = new Worker(new URL('./selfcheck.worker.ts', import.meta.url), { type: 'module' });
  const answer = await new Promise((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.terminate();
  expect(answer).toEqual({ path: 'zero-copy', problem: null, animationFrames: 'function' });
});
