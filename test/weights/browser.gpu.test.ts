// Weights in a real browser: the Cache API keeps files between stores, and the GPU holds what the kernels expect.
import { afterEach, describe, expect, it } from 'vitest';
import { openFileCache } from '../../src/weights/cache';
import { Store } from '../../src/weights/store';
import { Weights } from '../../src/weights/weights';
import { testGpu } from '../gpu';
import { f16, f32, halfOfInteger, listed, writeSafetensors } from './files';

const file = writeSafetensors({
  'conv.weight': f16(
    [2, 3, 1, 3],
    Array.from({ length: 18 }, (_, i) => i),
  ),
  'conv.bias': f16([2], [5, -6]),
  'out.weight': f32([3, 1], [1, 2, 3]),
});

describe('the Cache API', () => {
  const name = 'flipbook-test';
  afterEach(() => caches.delete(name));

  async function setUp() {
    let requests = 0;
    const open = async () => {
      const cache = (await openFileCache(name))!;
      const fetch = async () => {
        requests++;
        return new Response(file);
      };
      return new Store('/models/test/', { fetch, cache });
    };
    return { open, requests: () => requests };
  }

  it('keeps a file for the next store, and an altered one is downloaded again', async () => {
    const { open, requests } = await setUp();
    const files = [await listed('x.safetensors', file)];
    expect(await (await open()).load(files)).toEqual([file]);
    expect(await (await open()).load(files)).toEqual([file]);
    expect(requests()).toBe(1);

    const cache = await caches.open(name);
    const [kept] = await cache.keys();
    expect(kept.url).toBe(`${location.origin}/models/test/x.safetensors?sha256=${files[0].sha256}`);
    await cache.put(kept, new Response(file.slice(0, 20)));
    expect(await (await open()).load(files)).toEqual([file]);
    expect(requests()).toBe(2);
    expect(await (await open()).load(files)).toEqual([file]);
    expect(requests()).toBe(2);
  });

  it('holds one version of a file', async () => {
    const { open } = await setUp();
    const cache = await caches.open(name);
    const files = [await listed('x.safetensors', file)];
    await cache.put('/models/test/x.safetensors?sha256=older', new Response('old'));
    await (await open()).load(files);
    expect((await cache.keys()).map(({ url }) => new URL(url).search)).toEqual([`?sha256=${files[0].sha256}`]);
  });
});

describe('on the GPU', () => {
  it('tensors lie as the kernels read them, and dispose gives all of their memory back', async () => {
    const gpu = await testGpu();
    const before = gpu.bytesInUse;
    const weights = Weights.open(gpu, file, 'x.safetensors');
    const conv = weights.scope('conv');
    const read = async (tensor: ReturnType<typeof conv.conv>, bytes: number) => {
      if (tensor.storage.kind !== 'buffer') throw new Error('a weight has a buffer of its own');
      return gpu.readBuffer(tensor.storage.buffer, tensor.storage.offset, bytes);
    };
    const packed: number[] = [];
    for (let tap = 0; tap < 3; tap++) {
      for (let i = 0; i < 3; i++) for (let o = 0; o < 2; o++) packed.push(halfOfInteger((o * 3 + i) * 3 + tap));
    }
    expect(conv.conv('weight').shape).toEqual([3, 3, 2]);
    expect(Array.from(new Uint16Array(await read(conv.conv('weight'), 36)))).toEqual(packed);
    expect(Array.from(new Float32Array(await read(conv.vector('bias'), 8)))).toEqual([5, -6]);
    const linear = weights.linear('out.weight');
    expect(linear.shape).toEqual([1, 3]);
    expect(Array.from(new Uint16Array(await read(linear, 6)))).toEqual([1, 2, 3].map(halfOfInteger));
    expect(gpu.bytesInUse).toBeGreaterThan(before);
    weights.dispose();
    expect(gpu.bytesInUse).toBe(before);
  });
});
