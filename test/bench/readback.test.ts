// The wait that ends every timing of the bench, in a browser that looks for finished work with the next submit only.
import { afterEach, expect, test, vi } from 'vitest';
import { Readback } from '../../src/bench/runtimes/device';

afterEach(() => void vi.unstubAllGlobals());

test('it does not wait for the browser to look by itself', async () => {
  vi.stubGlobal('GPUBufferUsage', { COPY_SRC: 4, COPY_DST: 8, MAP_READ: 1 });
  vi.stubGlobal('GPUMapMode', { READ: 1 });
  let mapped = () => {};
  const submits: unknown[][] = [];
  const device = {
    queue: { submit: (buffers: unknown[]) => void (submits.push(buffers) > 1 && mapped()) },
    createBuffer: () => ({
      mapAsync: () =>
        new Promise<void>((resolve) => {
          mapped = resolve;
        }),
      unmap: () => undefined,
    }),
    createCommandEncoder: () => ({ copyBufferToBuffer: () => undefined, finish: () => 'a copy' }),
  };
  await new Readback(device as unknown as GPUDevice).wait();
  expect(submits).toEqual([['a copy'], []]);
});
