// Finished clips between visits: their MP4s in the browser's Cache API. The settings are the ones inside the files.
// Storage may be full or forbidden and its entries damaged: then there are fewer clips, never an error.
import { readClipMetadata } from '../media/metadata';
import { type Restored, restored } from '../options';

/** A clip as its file knows it. */
export interface KeptClip {
  /** Of its entry. */
  readonly name: string;
  readonly video: Blob;
  readonly title: string;
  readonly settings: Restored;
}

export interface ClipStore {
  /** The clips that are there and whole, newest first. */
  load(): Promise<readonly KeptClip[]>;
  /**
   * Adds one and lets the oldest go. @param place the name of the entry whose place it takes; without it, it is the newest
   * @returns its entry's name, if the browser took it
   */
  keep(video: Blob, title: string, place?: string): Promise<string | undefined>;
  remove(name: string): Promise<void>;
}

/** Of Response headers, which hold Latin-1 only. */
const titleHeader = 'X-Flipbook-Title';

/** @param most clips that are kept, over all tabs */
export function openClipStore(most: number): ClipStore {
  const opened = async () => caches.open('flipbook-clips');
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
    async keep(video, title, place) {
      try {
        const cache = await opened();
        const name = place ?? newName();
        const headers = { 'Content-Type': video.type, [titleHeader]: encodeURIComponent(title) };
        await cache.put(name, new Response(video, { headers }));
        for (const old of (await sorted(cache)).slice(most)) await cache.delete(old);
        return name;
      } catch {
        return undefined;
      }
    },
    async remove(name) {
      await (await opened()).delete(name);
    },
  };
}

/** Digits of equal length sort by time; the rest tells two tabs apart. */
function newName(): string {
  const path = `clips/${String(Date.now()).padStart(15, '0')}-${crypto.randomUUID()}.mp4`;
  return new URL(path, document.baseURI).href;
}

/** What a file says of how it was made, as text that nobody vouches for; {} where it says nothing. Throws as `readClipMetadata`. */
export async function settingsOf(file: Blob): Promise<Restored> {
  const found = await readClipMetadata(file);
  return found ? restored((name) => Reflect.get(found, name)) : {};
}

/** Newest first. */
async function sorted(cache: Cache): Promise<readonly Request[]> {
  return [...(await cache.keys())].sort((a, b) => (a.url < b.url ? 1 : -1));
}

async function readClip(name: string, response: Response | undefined): Promise<KeptClip | undefined> {
  try {
    if (!response) return undefined; // Another tab has let it go meanwhile.
    const video = await response.blob();
    const settings = await settingsOf(video);
    const title = decodeURIComponent(response.headers.get(titleHeader) ?? '') || settings.prompt;
    return title ? { name, video, title, settings } : undefined;
  } catch {
    return undefined;
  }
}
