// From a worker to the canvas of the page, as the engine shows and captures: what is drawn is seen, on both paths.
import { expect, test, vi } from 'vitest';

test.for(['zero-copy', 'readback'] as const)(
  '%s: a worker captures frames and plays a loop on the page',
  async (path) => {
    const element = document.createElement('canvas');
    element.width = 64;
    element.height = 64;
    document.body.append(element);
    const worker = new Worker(new URL('./display.worker.ts', import.meta.url), { type: 'module' });
    try {
      const message = () =>
        new Promise<MessageEvent>((resolve, reject) => {
          worker.onmessage = resolve;
          worker.onerror = (event) => reject(new Error(event.message));
        });
      expect((await message()).data).toBe('ready');
      const canvas = element.transferControlToOffscreen();
      worker.postMessage({ canvas, path }, [canvas]);
      const [red, blue] = (await message()).data.captured as [number[], number[]];
      // copyTo converts video colours back to RGB with an error of up to 12 in blues.
      for (const [found, expected] of [
        [red, [255, 0, 0, 255]],
        [blue, [0, 0, 255, 255]],
      ] as const) {
        for (const [c, value] of expected.entries()) {
          expect(Math.abs(found[c]! - value), String(found)).toBeLessThanOrEqual(path === 'readback' ? 14 : 0);
        }
      }
      const seen = new Set<string>();
      const context = new OffscreenCanvas(64, 64).getContext('2d', { willReadFrequently: true })!;
      await vi.waitFor(
        () => {
          context.drawImage(element, 0, 0);
          seen.add([...context.getImageData(32, 32, 1, 1).data].join());
          expect(seen).toContain('255,0,0,255');
          expect(seen).toContain('0,0,255,255');
        },
        { timeout: 20_000, interval: 50 },
      );
      seen.delete('0,0,0,0'); // before the first frame
      expect([...seen].sort()).toEqual(['0,0,255,255', '255,0,0,255']);
    } finally {
      worker.terminate();
      element.remove();
    }
  },
);
