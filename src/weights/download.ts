// Downloads one file into memory, going on where a connection broke. It knows no hashes and no cache of ours.
import { FlipbookError, throwIfAborted } from '../gpu/errors';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A whole answer, but of another file: asking again in the same way would not change it. */
export class WrongSize extends FlipbookError {}

/** Nothing came, or not all of it: the connection failed, or the server, or what stands before it, is down. */
export class OutOfReach extends FlipbookError {}

export interface DownloadOptions {
  /** Name for errors. */
  readonly file: string;
  /** Expected size; unknown where it is left out. */
  readonly bytes?: number;
  readonly cache: RequestCache;
  readonly signal?: AbortSignal;
  /** Bytes so far. */
  readonly report?: (bytes: number) => void;
}

/** Milliseconds to wait after each connection that broke, before the download is given up. */
const pauses = [300, 2000];

/** @throws FlipbookError 'weights' with the status, as OutOfReach, or as WrongSize with the sizes; 'cancelled' */
export async function download(fetch: Fetch, url: string, options: DownloadOptions): Promise<ArrayBuffer> {
  const { file, bytes, signal } = options;
  const received = new Received(bytes);
  let failure: unknown;
  for (const pause of [0, ...pauses]) {
    if (pause > 0) await sleep(pause, signal);
    throwIfAborted(signal);
    try {
      await receive(fetch, url, options, received);
      if (bytes === undefined || received.length === bytes) return received.take();
      failure = undefined;
      break;
    } catch (error) {
      throwIfAborted(signal);
      if (error instanceof FlipbookError) throw error;
      failure = error; // the connection broke: go on from here
    }
  }
  if (failure !== undefined) {
    throw new OutOfReach('weights', `${file} could not be downloaded: the connection failed`, {
      hint: 'Check the connection and try again.',
      cause: failure,
    });
  }
  const found = received.length > (bytes ?? 0) ? `more than ${bytes}` : received.length;
  throw new WrongSize('weights', `${file} has ${found} bytes, expected ${bytes}`, {
    hint: 'Reload the page. If that does not help, the file on the server was cut off or replaced: tell whoever runs this page.',
  });
}

/** Ends early where the signal aborts. */
function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => resolve(clearTimeout(timer)), { once: true });
  });
}

async function receive(fetch: Fetch, url: string, options: DownloadOptions, received: Received): Promise<void> {
  const { file, bytes, cache, signal, report } = options;
  const headers: HeadersInit = received.length > 0 ? { Range: `bytes=${received.length}-` } : {};
  const response = await fetch(url, { cache, headers, signal });
  if (response.status === 416 && received.length > 0) return; // nothing follows what we have
  checkResponse(response, url, file);
  const resumes =
    response.status === 206 && response.headers.get('Content-Range')?.startsWith(`bytes ${received.length}-`) === true;
  if (!resumes) received.length = 0;
  if (!resumes && response.status === 206) throw new Error('the server sent another range than it was asked for');
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      received.add(value);
      report?.(Math.min(received.length, bytes ?? received.length));
      if (bytes !== undefined && received.length > bytes) return;
    }
  } finally {
    // Ends the connection where we stopped early; after the end it does nothing.
    void reader.cancel().catch(() => undefined);
  }
}

function checkResponse(response: Response, url: string, file: string): void {
  const { status } = response;
  if (!response.ok) {
    const Kind = status >= 500 ? OutOfReach : FlipbookError;
    throw new Kind('weights', `${file} could not be downloaded: the server answered ${status} for ${url}`, {
      hint:
        status === 404
          ? 'Try again later. If that does not help, the file is missing on the server: tell whoever runs this page.'
          : 'Try again later; the server could not give the file.',
    });
  }
  // Servers of single-page apps answer any unknown address with their page.
  if (response.headers.get('Content-Type')?.startsWith('text/html')) {
    throw new FlipbookError('weights', `${file} could not be downloaded: ${url} is a web page, not the file`, {
      hint: 'Try again later. If that does not help, the file is missing on the server: tell whoever runs this page.',
    });
  }
}

/** What has arrived: one buffer where the size is known, so that nothing is copied at the end. */
class Received {
  #buffer: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(bytes = 1 << 16) {
    this.#buffer = new Uint8Array(bytes);
  }

  add(chunk: Uint8Array): void {
    const length = this.length + chunk.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.length));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.length);
    this.length = length;
  }

  take(): ArrayBuffer {
    const { buffer } = this.#buffer;
    return buffer.byteLength === this.length ? buffer : buffer.slice(0, this.length);
  }
}
