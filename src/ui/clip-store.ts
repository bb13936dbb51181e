// Finished clips between visits: their MP4s in the browser's Cache API, with the pictures that they started from and the files of
// those that were made here, which are nowhere else. The settings are the ones inside the MP4s.
// Storage may be full or forbidden and its entries damaged: then there are fewer clips, never an error.
import { signal } from '@preact/signals';
import { readClipMetadata } from '../media/metadata';
import { frameSide, type Restored, restored } from '../options';
import type { GivenPicture } from './settings';

/** What is kept of a clip. */
export interface StoredClip {
  readonly video: Blob;
  readonly title: string;
  /** What it started from: the one that its file names. */
  readonly picture?: GivenPicture | undefined;
}

/** A clip as its entry knows it. */
export interface KeptClip extends StoredClip {
  /** Of its entry. */
  readonly name: string;
  readonly settings: Restored;
}

export interface ClipStore {
  /** The clips that are there and whole, newest first. */
  load(): Promise<readonly KeptClip[]>;
  /**
   * Adds one and lets the oldest go: of too many, and where there is no room for it.
   * @param place the name of the entry whose place it takes; without it, it is the newest
   * @returns its entry's name, if the browser took it
   */
  keep(clip: StoredClip, place?: string): Promise<string | undefined>;
  remove(name: string): Promise<void>;
  /** Calls back with the names of entries that were let go, here for want of room or by another tab; without names, all were. */
  onGone(callback: (names?: readonly string[]) => void): void;
  /** All were removed with what else is stored: other tabs are told. */
  noteCleared(): void;
}

/** Of Response headers, which hold Latin-1 only. */
const titleHeader = 'X-Flipbook-Title';
const pictureHeader = 'X-Flipbook-Picture';
/** Where the video ends; the picture's pixels come after it, and then its file. */
const bytesHeader = 'X-Flipbook-Video-Bytes';
/** Of the picture's file; 0 where it has none. */
const fileBytesHeader = 'X-Flipbook-Picture-File-Bytes';

/** Of the cache, and of the channel on which tabs tell each other what they let go. */
const storeName = 'flipbook-clips';

/** How often this page has tried to store or remove a clip: after each time another size may be stored. */
export const storeChanges = signal(0);

/** @param most clips that are kept, over all tabs */
export function openClipStore(most: number): ClipStore {
  const opened = async () => caches.open(storeName);
  const tabs = typeof caches === 'undefined' ? undefined : new BroadcastChannel(storeName);
  let gone: (names?: readonly string[]) => void = () => undefined;
  return {
    async load() {
      try {
        const cache = await opened();
        const requests = (await sorted(cache)).slice(0, most);
        const clips = await Promise.all(
          requests.map(async (request) => readClip(request.url, await cache.match(request))),
        );
        return clips.filter((clip) => clip !== undefined);
      } catch {
        return [];
      }
    },
    async keep({ video, title, picture }, place) {
      const dropped: string[] = [];
      const drop: Drop = async (cache, entry) => {
        await cache.delete(entry);
        dropped.push(entry.url);
      };
      try {
        const cache = await opened();
        const name = place ?? newName(await sorted(cache));
        const headers = {
          'Content-Type': video.type,
          [titleHeader]: encodeURIComponent(title),
          [pictureHeader]: encodeURIComponent(picture?.name ?? ''),
          [bytesHeader]: String(video.size),
          [fileBytesHeader]: String(picture?.file?.length ?? 0),
        };
        const body = new Blob(picture ? [video, picture.pixels.data, picture.file ?? ''] : [video]);
        await put(cache, name, body, headers, drop);
        for (const old of (await sorted(cache)).slice(most)) await drop(cache, old);
        return name;
      } catch {
        return undefined;
      } finally {
        if (dropped.length > 0) {
          gone(dropped);
          tabs?.postMessage(dropped);
        }
        storeChanges.value++;
      }
    },
    async remove(name) {
      await (await opened()).delete(name);
      tabs?.postMessage([name]);
      storeChanges.value++;
    },
    onGone(callback) {
      gone = callback;
      tabs?.addEventListener('message', ({ data }) => callback(Array.isArray(data) ? data : undefined));
    },
    noteCleared: () => tabs?.postMessage('all'),
  };
}

/** Deletes an entry, and takes note of its name. */
type Drop = (cache: Cache, entry: Request) => Promise<void>;

/**
 * Deletes the oldest other entries until `body` fits, never the one it replaces. Throws as `Cache.put` if the others together
 * are smaller than `body`, or if freeing more than twice its size did not help.
 */
async function put(cache: Cache, name: string, body: Blob, headers: HeadersInit, drop: Drop): Promise<void> {
  const tried = async () => {
    try {
      await cache.put(name, new Response(body, { headers }));
    } catch (error) {
      if (error instanceof DOMException && error.name === 'QuotaExceededError') return error;
      throw error;
    }
  };
  let full = await tried();
  if (!full) return;
  const others = (await sorted(cache)).filter(({ url }) => url !== name);
  const sizes = await Promise.all(others.map(async (other) => (await (await cache.match(other))?.blob())?.size ?? 0));
  if (sizes.reduce((sum, size) => sum + size, 0) < body.size) throw full;
  for (let freed = 0; full && others.length > 0 && freed <= 2 * body.size; full = await tried()) {
    freed += sizes.pop() ?? 0;
    await drop(cache, others.pop()!);
  }
  if (full) throw full;
}

/** The time, and what tells two tabs apart. Later than all others, even if the clock was ahead of its time before. */
function newName([newest]: readonly Request[]): string {
  const time = newest ? Math.max(Date.now(), timeOf(newest) + 1) : Date.now();
  return new URL(`clips/${time}-${crypto.randomUUID()}.mp4`, document.baseURI).href;
}

/** Of an entry's name; whatever is named in another way is oldest. */
function timeOf({ url }: Request): number {
  return Number.parseInt(url.slice(url.lastIndexOf('/') + 1), 10) || 0;
}

/** Newest first. */
async function sorted(cache: Cache): Promise<readonly Request[]> {
  return [...(await cache.keys())].sort((a, b) => timeOf(b) - timeOf(a));
}

/** What a file says of how it was made, as text that nobody vouches for; {} where it says nothing. Throws as `readClipMetadata`. */
export async function settingsOf(file: Blob): Promise<Restored> {
  const found = await readClipMetadata(file);
  return found ? restored((name) => Reflect.get(found, name)) : {};
}

async function readClip(name: string, response: Response | undefined): Promise<KeptClip | undefined> {
  try {
    if (!response) return undefined; // Another tab has let it go meanwhile.
    const { headers } = response;
    const body = await response.blob();
    const end = Number(headers.get(bytesHeader)) || body.size;
    const video = body.slice(0, end, body.type);
    const settings = await settingsOf(video);
    const title = decodeURIComponent(headers.get(titleHeader) ?? '') || settings.prompt;
    const picture = await readPicture(headers, body.slice(end), settings.picture);
    return title ? { name, video, title, settings, picture } : undefined;
  } catch {
    return undefined;
  }
}

/** @param sha256 what the file names, if it names one */
async function readPicture(
  headers: Headers,
  rest: Blob,
  sha256: string | undefined,
): Promise<GivenPicture | undefined> {
  const end = frameSide * frameSide * 4;
  const fileBytes = Number(headers.get(fileBytesHeader));
  if (!sha256 || !(fileBytes >= 0) || rest.size !== end + fileBytes) return undefined;
  try {
    const name = decodeURIComponent(headers.get(pictureHeader) ?? '').slice(0, 100);
    const bytes = await rest.arrayBuffer();
    const pixels = { width: frameSide, height: frameSide, data: new Uint8ClampedArray(bytes.slice(0, end)) };
    return { name, sha256, pixels, ...(fileBytes > 0 && { file: new Uint8Array(bytes.slice(end)) }) };
  } catch {
    return undefined;
  }
}
