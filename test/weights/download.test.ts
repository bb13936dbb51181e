// Downloads through the store: connections that break, and answers that are not the file.
import { describe, expect, it } from 'vitest';
import { Store } from '../../src/weights/store';
import { listed } from './files';
import { type Answer, a, base, body, contents, failure, files, part, server } from './server';

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
      'a.bin': ({ init }) => ('Range' in (init.headers ?? {}) ? new Response('', { status: 416 }) : breaks()),
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

  it.each([600, 1001])('are none where only the HTTP cache has another version, of %s bytes', async (bytes) => {
    const { fetch, requests } = server({
      'a.bin': ({ init }) => new Response(init.cache === 'reload' ? a : new Uint8Array(bytes)),
    });
    expect(await new Store(base, { fetch, cache: null }).load([files[0]])).toEqual([a]);
    expect(requests).toHaveLength(2);
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
