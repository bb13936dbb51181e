// Brings the files of a model to this machine: download with progress, resume, hash check, cache. It does not read them.
import { FlipbookError, throwIfAborted } from '../gpu/errors';
import type { OnProgress } from '../gpu/progress';
import { sha256 } from '../sha256';
import { type FileCache, type FileKey, openFileCache } from './cache';
import { download, type Fetch, OutOfReach, WrongSize } from './download';

/** A file as model.json lists it. */
export interface ListedFile {
  readonly file: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

export interface StoreOptions {
  readonly fetch?: Fetch;
  /** `null`: keep nothing. By default the browser's Cache API where there is one. */
  readonly cache?: FileCache | null;
}

/** After which a server that answers nothing counts as out of reach, where a listing is kept. */
const patienceMilliseconds = 5000;

class WrongHash extends FlipbookError {}

export class Store {
  readonly #base: string;
  readonly #fetch: Fetch;
  readonly #cache: Promise<FileCache | undefined>;
  /** The JSON file that was read last. */
  #listing: { readonly url: string; readonly bytes: ArrayBuffer } | undefined;

  /** @param base address of the model's folder, ending in a slash; may be relative to the page or worker */
  constructor(base: string, options: StoreOptions = {}) {
    this.#base = new URL(base, globalThis.location?.href).href;
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
    this.#cache = options.cache === undefined ? openFileCache() : Promise.resolve(options.cache ?? undefined);
  }

  /**
   * A small JSON file of the folder, such as model.json, and what `sha256sum` says of it: as the server has it now, or, where
   * that cannot be reached, as it was when files were last loaded by it. @throws FlipbookError 'weights'
   */
  async json(file: string, signal?: AbortSignal): Promise<{ readonly value: unknown; readonly hash: string }> {
    const url = this.#url(file);
    const cache = await this.#cache;
    const kept = await quietly(cache?.get({ url }));
    const patience = AbortSignal.timeout(patienceMilliseconds);
    const patient = !kept ? signal : signal ? AbortSignal.any([signal, patience]) : patience;
    const bytes = await download(this.#fetch, url, { file, cache: 'no-cache', signal: patient }).catch((error) => {
      throwIfAborted(signal);
      if (kept && (patience.aborted || error instanceof OutOfReach)) return kept;
      throw error;
    });
    const hash = await sha256(bytes);
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch (cause) {
      throw new FlipbookError('weights', `${file} is not valid JSON`, { cause });
    }
    this.#listing = { url, bytes };
    return { value, hash };
  }

  /**
   * All files, in the order of the list, from the cache where their hashes are right, else downloaded in parallel.
   * A file whose size or hash is wrong is deleted and downloaded once more. A cache that is full or broken is done without.
   * @throws FlipbookError 'weights' naming the file, what was expected and what was found; 'cancelled'
   */
  async load(files: readonly ListedFile[], signal?: AbortSignal, onProgress?: OnProgress): Promise<ArrayBuffer[]> {
    throwIfAborted(signal);
    const loaded = new Map<ListedFile, number>();
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    let told = -1;
    // A percent at a time: a message to the page for each network packet would slow the download itself.
    const report = (file: ListedFile, bytes: number) => {
      loaded.set(file, bytes);
      const sum = [...loaded.values()].reduce((a, b) => a + b, 0);
      if (sum !== total && Math.abs(sum - told) < total / 100) return;
      told = sum;
      onProgress?.(sum, total);
    };
    // The first failure stops the other downloads.
    const others = new AbortController();
    const stop = () => others.abort();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      const found = await Promise.all(
        files.map((file) => this.#load(file, others.signal, (bytes) => report(file, bytes))),
      );
      // Only now: a listing whose files are not here would stop a visit without a network.
      if (this.#listing) await quietly((await this.#cache)?.put({ url: this.#listing.url }, this.#listing.bytes));
      return found;
    } catch (error) {
      stop();
      throwIfAborted(signal);
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  async #load(listed: ListedFile, signal: AbortSignal, report: (bytes: number) => void): Promise<ArrayBuffer> {
    const { file, bytes, sha256: expected } = listed;
    const cache = await this.#cache;
    const key = this.#key(listed);
    const kept = await quietly(cache?.get(key));
    throwIfAborted(signal);
    if (kept) {
      if (kept.byteLength === bytes && (await sha256(kept)) === expected) {
        report(bytes);
        return kept;
      }
      await quietly(cache?.delete(key));
    }
    const fetched = async (mode: RequestCache) => {
      const data = await download(this.#fetch, key.url, { file, bytes, cache: mode, signal, report });
      const found = await sha256(data);
      throwIfAborted(signal);
      if (found === expected) return data;
      throw new WrongHash('weights', `${file} has the hash ${found}, expected ${expected}: it was altered or damaged`, {
        hint: 'Reload the page. If that does not help, the copy on the server is damaged: restore the file there.',
      });
    };
    const data = await fetched('default').catch((error) => {
      if (!(error instanceof WrongSize || error instanceof WrongHash)) throw error;
      report(0);
      return fetched('reload'); // past the browser's own HTTP cache, which may hold an older version or a damaged one
    });
    await quietly(cache?.put(key, data));
    return data;
  }

  #url(file: string): string {
    return new URL(file, this.#base).href;
  }

  #key({ file, sha256 }: ListedFile): FileKey {
    return { url: this.#url(file), sha256 };
  }
}

/** A cache is a convenience: no room, no permission or a damaged one must not stop a generation. */
async function quietly<T>(work: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await work;
  } catch {
    return undefined;
  }
}
