// The clips before the last one, newest first: of this visit, and of earlier ones as far as the browser keeps them. How they are
// kept is clip-store.ts's, and what a visitor sees shelf.tsx's.
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { StartPicture } from '../media/picture';
import type { Restored } from '../options';
import { type ClipStore, openClipStore } from './clip-store';

export interface EarlierClip {
  /** Object URL of the MP4, `null` where none could be encoded. */
  readonly address: string | null;
  readonly title: string;
  readonly settings: Restored;
  /** What it started from; of clips of earlier visits nobody knows. */
  readonly picture?: StartPicture | undefined;
}

/** How many are at hand: their files are in memory. */
export const shelfSize = 8;
/** How many are stored: the last one, too, which is not on the shelf. */
export const storedClips = shelfSize + 1;

export interface Earlier {
  readonly clips: ReadonlySignal<readonly EarlierClip[]>;
  /**
   * Which clips outlive the page. 'videos': those that have one; 'new': those since `forget`; 'none': the browser did not take
   * the last one.
   */
  readonly kept: ReadonlySignal<'all' | 'videos' | 'new' | 'none'>;
  /** A clip that another one takes the place of. The oldest of too many goes. */
  add(clip: EarlierClip): void;
  /** Stores a clip that was just finished. @param address the object URL of its video */
  keep(video: Blob, title: string, address: string): Promise<void>;
  /** The clip whose video was at `from` has a new one, at `to`, on another paper: it is stored in place of that. */
  replace(from: string, video: Blob, title: string, to: string): Promise<void>;
  /** Here and where it is stored. @throws where storage fails; then it stays */
  remove(clip: EarlierClip): Promise<void>;
  /** What was stored is gone. */
  forget(): void;
}

/** Begins with what earlier visits left. */
export function createEarlier(store: ClipStore = openClipStore(storedClips)): Earlier {
  const clips = signal<readonly EarlierClip[]>([]);
  const isKept = signal(true);
  /** How many were stored since what was stored is gone: the last clip, which is not on the shelf, is one of them. */
  const stored = signal(Number.POSITIVE_INFINITY);
  const kept = computed(() => {
    if (!isKept.value) return 'none';
    if (clips.value.length >= stored.value) return 'new';
    return clips.value.every(({ address }) => address) ? 'all' : 'videos';
  });

  /** Entries of the store by the object URL of the clip's video; undefined where the browser did not take it. */
  const names = new Map<string, Promise<string | undefined>>();

  const set = (all: readonly EarlierClip[], most: number) => {
    clips.value = all.slice(0, most);
    for (const { address } of all.slice(most)) if (address) URL.revokeObjectURL(address);
  };
  const loaded = store.load().then((all) => {
    const old = all.map(({ name, video, title, settings }) => {
      const address = URL.createObjectURL(video);
      names.set(address, Promise.resolve(name));
      return { address, title, settings };
    });
    set([...clips.value, ...old], storedClips); // one of them was on the stage
  });

  return {
    clips,
    kept,
    add: (clip) => set([clip, ...clips.value], shelfSize),
    async keep(video, title, address) {
      // A clip of this visit is on the page already: it must not be found again as an old one.
      const name = loaded.then(() => store.keep(video, title));
      names.set(address, name);
      isKept.value = (await name) !== undefined;
      if (isKept.value) stored.value++;
    },
    async replace(from, video, title, to) {
      const before = names.get(from);
      if (!before) return; // It was cleared away: what follows from it is not to come back.
      names.set(to, before);
      const name = await before;
      if (name) await store.keep(video, title, name);
    },
    async remove(clip) {
      const name = clip.address && (await names.get(clip.address));
      if (name) await store.remove(name);
      clips.value = clips.value.filter((other) => other !== clip);
      if (clip.address) URL.revokeObjectURL(clip.address);
    },
    forget() {
      names.clear();
      isKept.value = false;
      stored.value = 0;
    },
  };
}
