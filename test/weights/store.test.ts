// The store of weights against a made-up server and cache: order, progress, hashes, what is kept, cancelling.
import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { FileCache, FileKey } from '../../src/weights/cache';
import { Store } from '../../src/weights/store';
import { listed } from './files';
import { a, b, base, body, contents, failure, files, part, server } from './server';

class MemoryCache implements FileCache {
  readonly files = new Map<string, ArrayBuffer>();
  readonly deleted: string[] = [];
  async get({ url, sha256 }: FileKey) {
    return this.files.get(url + sha256)?.slice(0);
  }
  async put({ url, sha256 }: FileKey, data: ArrayBuffer) {
    this.files.set(url + sha256, data.slice(0));
  }
  async delete({ url, sha256 }: FileKey) {
    this.deleted.push(url);
    this.files.delete(url + sha256);
  }
}

describe('load', () => {
  it('downloads every file, in order, and counts the bytes of all of them', async () => {
    const { fetch, requests } = server({
      'a.bin': () => new Response(body([part(0, 400), part(400, 1000)])),
    });
    const seen: number[][] = [];
    const found = await new Store(base, { fetch, cache: null }).load(files, undefined, (...progress) =>
      seen.push(progress),
    );
    expect(found).toEqual([a, b]);
    expect(requests.map((r) => r.file).sort()).toEqual(['a.bin', 'b.bin']);
    expect(seen.at(-1)).toEqual([1300, 1300]);
    expect(seen.map(([loaded]) => loaded)).toEqual(seen.map(([loaded]) => loaded).sort((x, y) => x - y));
    expect(seen.length).toBeGreaterThanOrEqual(3);
  });

  it('tells of a download a percent at a time, however small its pieces are', async () => {
    const pieces = Array.from({ length: 1000 }, (_, i) => part(i, i + 1));
    const { fetch } = server({ 'a.bin': () => new Response(body(pieces)) });
    const seen: number[] = [];
    await new Store(base, { fetch, cache: null }).load(files, undefined, (loaded) => seen.push(loaded));
    expect(seen.length).toBeGreaterThan(50);
    expect(seen.length).toBeLessThanOrEqual(101);
    expect(seen.at(-1)).toBe(1300);
  });

  it('asks the server once and the cache after that', async () => {
    const { fetch, requests } = server();
    const cache = new MemoryCache();
    await new Store(base, { fetch, cache }).load(files);
    const seen: number[][] = [];
    const again = await new Store(base, { fetch, cache }).load(files, undefined, (...progress) => seen.push(progress));
    expect(again).toEqual([a, b]);
    expect(requests).toHaveLength(2);
    expect(seen.at(-1)).toEqual([1300, 1300]);
  });

  it('deletes a damaged file from the cache and downloads it again', async () => {
    const { fetch, requests } = server();
    const cache = new MemoryCache();
    const store = new Store(base, { fetch, cache });
    await store.load(files);
    const key = `${base}a.bin${files[0].sha256}`;
    for (const damaged of [new Uint8Array(1000).buffer, a.slice(0, 10)]) {
      cache.files.set(key, damaged);
      expect(await store.load(files)).toEqual([a, b]);
      expect(cache.files.get(key)).toEqual(a);
    }
    expect(cache.deleted).toEqual([`${base}a.bin`, `${base}a.bin`]);
    expect(requests.map((r) => r.file).filter((file) => file === 'a.bin')).toHaveLength(3);
    expect(requests.filter((r) => r.file === 'b.bin')).toHaveLength(1);
  });

  it('takes a file whose new hash is listed instead of an old one from the cache', async () => {
    const cache = new MemoryCache();
    await new Store(base, { fetch: server().fetch, cache }).load(files);
    const newer = contents(1000, 9);
    const { fetch } = server({ 'a.bin': () => new Response(newer) });
    const found = await new Store(base, { fetch, cache }).load([await listed('a.bin', newer)]);
    expect(found).toEqual([newer]);
  });

  it('keeps a file whose second try is right, and progress ends complete', async () => {
    const { fetch } = server({ 'a.bin': (_request, times) => new Response(times === 1 ? contents(1000, 77) : a) });
    const cache = new MemoryCache();
    const seen: number[][] = [];
    expect(await new Store(base, { fetch, cache }).load(files, undefined, (...p) => seen.push(p))).toEqual([a, b]);
    expect(seen.at(-1)).toEqual([1300, 1300]);
    expect(cache.files.get(`${base}a.bin${files[0].sha256}`)).toEqual(a);
  });

  it.each(['get', 'put', 'delete'] as const)('does without a cache whose %s fails', async (method) => {
    const cache = new MemoryCache();
    Object.assign(cache, { [method]: () => Promise.reject(new DOMException('no room', 'QuotaExceededError')) });
    cache.files.set(`${base}a.bin${files[0].sha256}`, new ArrayBuffer(3));
    expect(await new Store(base, { fetch: server().fetch, cache }).load(files)).toEqual([a, b]);
  });
});

describe('cancelling', () => {
  it('before the start asks for nothing', async () => {
    const { fetch, requests } = server();
    expect((await failure(new Store(base, { fetch, cache: null }).load(files, AbortSignal.abort()))).code).toBe(
      'cancelled',
    );
    expect(requests).toHaveLength(0);
  });

  it('midway ends the download and keeps nothing', async () => {
    const controller = new AbortController();
    const cache = new MemoryCache();
    const { fetch } = server({
      'a.bin': ({ init }) => {
        const stream = new ReadableStream<Uint8Array>({
          start(stream) {
            stream.enqueue(part(0, 100));
            init.signal?.addEventListener('abort', () => stream.error(new DOMException('aborted', 'AbortError')));
          },
        });
        return new Response(stream);
      },
    });
    const loading = new Store(base, { fetch, cache }).load([files[0]], controller.signal, () => controller.abort());
    expect((await failure(loading)).code).toBe('cancelled');
    expect(cache.files.size).toBe(0);
  });
});

describe('json', () => {
  it('reads a small file and never an old one', async () => {
    const text = '{ "format": 1 }\n';
    const { fetch, requests } = server({ 'model.json': () => new Response(text) });
    const { value, hash } = await new Store(base, { fetch, cache: null }).json('model.json');
    expect(value).toEqual({ format: 1 });
    expect(hash).toBe(createHash('sha256').update(text).digest('hex')); // of the file, spaces and all
    expect(requests[0].init.cache).toBe('no-cache');
  });

  it('where the server cannot be reached reads what files were last loaded by; what a server that is up answers counts', async () => {
    const cache = new MemoryCache();
    const open = (answer: () => Response | Promise<Response>) =>
      new Store(base, { fetch: server({ 'model.json': answer }).fetch, cache });
    const offline = () => Promise.reject(new TypeError('Failed to fetch'));
    expect((await failure(open(offline).json('model.json'))).code).toBe('weights');
    for (const format of [1, 2]) {
      const store = open(() => new Response(`{ "format": ${format} }`));
      await store.json('model.json');
      await store.load(files);
    }
    await open(() => new Response('{ "format": 3 }')).json('model.json'); // The caller does not take that one.
    const answers = (status: number) => open(() => new Response('', { status }));
    for (const store of [open(offline), answers(502), answers(503)]) {
      expect((await store.json('model.json')).value).toEqual({ format: 2 });
    }
    expect((await failure(answers(404).json('model.json'))).message).toContain('answered 404');
    await cache.delete({ url: `${base}model.json` });
    expect((await failure(answers(503).json('model.json'))).message).toContain('answered 503');
  });

  it('waits some seconds for a server that answers nothing, where it has what was last', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => AbortSignal.abort());
    const cache = new MemoryCache();
    await cache.put({ url: `${base}model.json` }, new TextEncoder().encode('{ "format": 1 }').buffer);
    const store = new Store(base, { fetch: () => new Promise(() => {}), cache });
    expect((await store.json('model.json')).value).toEqual({ format: 1 });
    expect(timeout).toHaveBeenCalledWith(5000);
    const controller = new AbortController();
    controller.abort();
    expect((await failure(store.json('model.json', controller.signal))).code).toBe('cancelled');
    timeout.mockRestore();
  });

  it('says so where the file is missing or broken', async () => {
    const json = (response: () => Response) =>
      failure(new Store(base, { fetch: server({ 'model.json': response }).fetch, cache: null }).json('model.json'));
    expect((await json(() => new Response('{"format":'))).message).toBe('model.json is not valid JSON');
    expect((await json(() => new Response('', { status: 404 }))).message).toContain(
      'model.json could not be downloaded',
    );
  });
});
