// Where downloaded weights are kept between visits: the browser's Cache API, by address and content hash. It checks nothing.

/** Files by key. Every method may fail, as browsers may: callers treat that as "not there". */
export interface FileCache {
  get(key: FileKey): Promise<ArrayBuffer | undefined>;
  /** Replaces other contents of the same address. */
  put(key: FileKey, data: ArrayBuffer): Promise<void>;
  delete(key: FileKey): Promise<void>;
}

export interface FileKey {
  /** Address of the file on its server. */
  readonly url: string;
  /** Of its contents; left out where the newest is meant, whatever it holds. */
  readonly sha256?: string;
}

/** The Cache API in pages and workers; `undefined` where there is none (plain http, some private windows). */
export async function openFileCache(name = 'flipbook-weights'): Promise<FileCache | undefined> {
  if (typeof caches === 'undefined') return undefined;
  try {
    const cache = await caches.open(name);
    const address = ({ url, sha256 }: FileKey) => {
      const keyed = new URL(url);
      if (sha256) keyed.search = `?sha256=${sha256}`;
      return keyed.href;
    };
    return {
      get: async (key) => (await cache.match(address(key)))?.arrayBuffer(),
      put: async (key, data) => {
        // Earlier versions of the file go first, so that there is room.
        await cache.delete(key.url, { ignoreSearch: true });
        await cache.put(address(key), new Response(data));
      },
      delete: async (key) => {
        await cache.delete(key.url, { ignoreSearch: true });
      },
    };
  } catch {
    return undefined;
  }
}
