// A made-up server of two files, for the tests of downloads and of the store. Not the code under test.
import { expect } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import type { Fetch } from '../../src/weights/download';
import type { ListedFile } from '../../src/weights/store';
import { listed } from './files';

export const base = 'https://flipbook.test/models/sticker/';
export const contents = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 255).buffer;
/** What the server has under a.bin and b.bin. */
export const a = contents(1000, 1);
export const b = contents(300, 2);
export const files: readonly ListedFile[] = [await listed('a.bin', a), await listed('b.bin', b)];
/** Of a.bin. */
export const part = (from: number, to: number) => new Uint8Array(a.slice(from, to));

interface Request {
  readonly file: string;
  readonly init: RequestInit;
}
export type Answer = (request: Request, times: number) => Response | Promise<Response>;

/** Serves a.bin and b.bin, or what `answers` says for a file; remembers what it was asked. */
export function server(answers: Record<string, Answer> = {}) {
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

/** A body that arrives in pieces and, where `fails`, breaks off after them. */
export function body(pieces: Uint8Array[], fails = false): ReadableStream<Uint8Array> {
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

/** The error that a promise must end with. */
export async function failure(promise: Promise<unknown>): Promise<FlipbookError> {
  const error = await promise.then(
    () => new Error('it worked'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(FlipbookError);
  return error;
}
