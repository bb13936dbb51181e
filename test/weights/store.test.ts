// The store of weights against a made-up server and cache: progress, hashes, resuming, damage, cancelling.
import { beforeAll, describe, expect, it } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import type { FileCache, FileKey } from '../../src/weights/cache';
import type { Fetch } from '../../src/weights/download';
import { type ListedFile, Store } from '../../src/weights/store';
import { listed } from './files';

const base = 'https://flipbook.test/models/sticker/';
const contents = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 255).buffer;
const a = contents(1000, 1);
const b = contents(300, 2);
let files: ListedFile[] = [];
beforeAll(async () => {
  files = [await listed('a.bin', a), await listed('b.bin', b)];
});

interface Request {
  readonly file: string;
  readonly init: RequestInit;
}
type Answer = (request: Request, times: number) => Response | Promise<Response>;

/** Serves a.bin and b.bin, or what `answers` says for a file; remembers what it was asked. */
function server(answers: Record<string, Answer> = {}) {
  const requests: Request[] = [];
  const data: Record<string, ArrayBuffer> = { 'a.bin': a, 'b.bin': b };
  const fetch: Fetch = async (url, init) => {
    expect(url.startsWith(base)).toBe(true);
    const request = { file: url.slice(base.length), init };
    requests.push(request);
    init.signal?.throwIfAborted();
    const answer = answers[request.file];
    return answer
      ? answer(request, requests.filter((r) => r.file === request.file).length)
      : new Response(data[request.file]);
  };
  return { fetch, requests };
}

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

/** A body that arrives in pieces and, where `fails`, breaks off after them. */
function body(pieces: Uint8Array[], fails = false): ReadableStream<Uint8Array> {
  const left = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const next = left.shift();
      if (next) controller.enqueue(next);
      else if (fails) controller.error(new TypeError('network error'));
      else controller.close();
    },
  });
}

async function failure(promise: Promise<unknown>): Promise<FlipbookError> {
  const error = await promise.then(
    () => new Error('it worked'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(FlipbookError);
  return error;
}

const part = (from: number, to: number) => new Uint8Array(a.slice(from, to));

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

  it.each(['get', 'put', 'delete'] as const)('does without a cache whose %s fails', async (method) => {
    const cache = new MemoryCache();
    Object.assign(cache, { [method]: () => Promise.reject(new DOMException('no room', 'QuotaExceededError')) });
    cache.files.set(`${base}a.bin${files[0].sha256}`, new ArrayBuffer(3));
    expect(await new Store(base, { fetch: server().fetch, cache }).load(files)).toEqual([a, b]);
  });
});

describe('a broken connection', () => {
  const breaks = () => new Response(body([part(0, 600)], true));

  it('is taken up where it broke, on a server with ranges', async () => {
    const { fetch, requests } = server({
      'a.bin': (_request, times) =>
        times === 1
          ? breaks()
          : new Response(body([part(600, 1000)]), { status: 206, headers: { 'Content-Range': 'bytes 600-999/1000' } }),
    });
    expect(await new Store(base, { fetch, cache: null }).load([files[0]])).toEqual([a]);
    expect(requests[1].init.headers).toEqual({ Range: 'bytes=600-' });
  });

  it('starts again on a server without', async () => {
    const { fetch } = server({ 'a.bin': (_request, times) => (times === 1 ? breaks() : new Response(a)) });
    expect(await new Store(base, { fetch, cache: null }).load([files[0]])).toEqual([a]);
  });

  it('starts again where the server sends another range', async () => {
    const wrong = () =>
      new Response(body([part(500, 1000)]), { status: 206, headers: { 'Content-Range': 'bytes 500-999/1000' } });
    const { fetch, requests } = server({
      'a.bin': (_request, times) => (times === 1 ? breaks() : times === 2 ? wrong() : new Response(a)),
    });
    expect(await new Store(base, { fetch, cache: null }).load([files[0]])).toEqual([a]);
    expect(requests.map(({ init }) => init.headers)).toEqual([{}, { Range: 'bytes=600-' }, {}]);
  });

  it('ends as a truncated file where nothing follows on the server', async () => {
    const { fetch } = server({
      'a.bin': (_request, times) => (times === 1 ? breaks() : new Response('', { status: 416 })),
    });
    const error = await failure(new Store(base, { fetch, cache: null }).load([files[0]]));
    expect(error.message).toBe('a.bin has 600 bytes, expected 1000');
  });

  it('is given up after three times, in plain words', async () => {
    const { fetch, requests } = server({ 'a.bin': breaks });
    const error = await failure(new Store(base, { fetch, cache: null }).load([files[0]]));
    expect(error.message).toBe('a.bin could not be downloaded: the connection failed');
    expect(error.hint).toContain('connection');
    expect(requests).toHaveLength(3);
  });
});

describe('errors', () => {
  const load = (answer: Answer) => {
    const { fetch, requests } = server({ 'a.bin': answer });
    return { requests, error: failure(new Store(base, { fetch, cache: null }).load(files)) };
  };

  it.each<[string, Answer, string]>([
    [
      'a missing file',
      () => new Response('', { status: 404 }),
      `a.bin could not be downloaded: the server answered 404 for ${base}a.bin`,
    ],
    ['a broken server', () => new Response('', { status: 500 }), 'the server answered 500'],
    [
      "a single-page app's page",
      () => new Response('<!doctype html>', { headers: { 'Content-Type': 'text/html' } }),
      'is a web page, not the file',
    ],
    ['a truncated file', () => new Response(a.slice(0, 999)), 'a.bin has 999 bytes, expected 1000'],
    ['an empty file', () => new Response(null), 'a.bin has 0 bytes, expected 1000'],
    [
      'a file that is too long',
      () => new Response(new Uint8Array(1001)),
      'a.bin has more than 1000 bytes, expected 1000',
    ],
  ])('name %s', async (_name, answer, message) => {
    const error = await load(answer).error;
    expect(error.code).toBe('weights');
    expect(error.message).toContain(message);
    expect(error.hint).not.toBe('');
  });

  it('name both hashes of an altered file, after one more try past the HTTP cache', async () => {
    const altered = contents(1000, 77);
    const { error, requests } = load(() => new Response(altered));
    const { message, hint } = await error;
    expect(message).toContain(`a.bin has the hash ${(await listed('', altered)).sha256}, expected ${files[0].sha256}`);
    expect(hint).toContain('restore the file');
    expect(requests.filter((r) => r.file === 'a.bin').map((r) => r.init.cache)).toEqual(['default', 'reload']);
  });

  it('are avoided where the second try is right, and progress ends complete', async () => {
    const { fetch } = server({ 'a.bin': (_request, times) => new Response(times === 1 ? contents(1000, 77) : a) });
    const cache = new MemoryCache();
    const seen: number[][] = [];
    expect(await new Store(base, { fetch, cache }).load(files, undefined, (...p) => seen.push(p))).toEqual([a, b]);
    expect(seen.at(-1)).toEqual([1300, 1300]);
    expect(cache.files.get(`${base}a.bin${files[0].sha256}`)).toEqual(a);
  });

  it('of one file stop the others', async () => {
    let stopped = false;
    const { fetch } = server({
      'a.bin': () => new Response('', { status: 404 }),
      'b.bin': ({ init }) =>
        new Promise((_resolve, reject) => {
          init.signal?.addEventListener('abort', () => {
            stopped = true;
            reject(new DOMException('aborted', 'AbortError'));
          });
        }),
    });
    expect((await failure(new Store(base, { fetch, cache: null }).load(files))).message).toContain('404');
    expect(stopped).toBe(true);
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
    const { fetch, requests } = server({ 'model.json': () => new Response('{"format":1}') });
    expect(await new Store(base, { fetch, cache: null }).json('model.json')).toEqual({ format: 1 });
    expect(requests[0].init.cache).toBe('no-cache');
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
