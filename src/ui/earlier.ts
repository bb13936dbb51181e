// The clips before the last one, newest first: of this visit, and of earlier ones as far as the browser keeps them. How they are
// kept is clip-store.ts's, and what a visitor sees shelf.tsx's.
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Restored } from '../options';
import { type ClipStore, openClipStore, type StoredClip } from './clip-store';
import type { GivenPicture } from './settings';

export interface EarlierClip {
  /** Object URL of the MP4, `null` where none could be encoded. */
  readonly address: string | null;
  readonly title: string;
  readonly settings: Restored;
  /** What it started from, where that was a picture and is still known. */
  readonly picture?: GivenPicture | undefined;
  /** Nothing of it is stored, and no file of all of it was saved: its MP4 is gone with the page. */
  readonly isUnsaved?: Signal<boolean>;
}

/** How many are at hand: their files are in memory. */
export const shelfSize = 8;
/** How many are stored: the last one, too, which is not on the shelf. */
export const storedClips = shelfSize + 1;

export interface Earlier {
  readonly clips: ReadonlySignal<readonly EarlierClip[]>;
  /**
   * Which clips outlive the page, as far as the browser has room. 'videos': those that have one; 'new': those since `forget`;
   * 'none': it did not take the last one; 'cleared': none was made since `forget`.
   */
  readonly kept: ReadonlySignal<'all' | 'videos' | 'new' | 'none' | 'cleared'>;
  /** There is an MP4 among them that was neither saved nor stored. */
  readonly isAtRisk: ReadonlySignal<boolean>;
  /** A clip that another one takes the place of. The oldest of too many goes. */
  add(clip: EarlierClip): void;
  /** A file of the whole clip was handed to the visitor. @param address its own */
  noteSaved(address: string | null): void;
  /** Stores a clip that was just finished. @param address the object URL of its video */
  keep(clip: StoredClip, address: string): Promise<void>;
  /** The clip whose video was at `from` is at `to` now, on another paper: it is stored in place of itself. */
  replace(from: string, clip: StoredClip, to: string): Promise<void>;
  /** Here and where it is stored. @throws where storage fails; then it stays */
  remove(clip: EarlierClip): Promise<void>;
  /** What was stored is gone. */
  forget(): void;
}

/** Begins with what earlier visits left. */
export function createEarlier(store: ClipStore = openClipStore(storedClips)): Earlier {
  const clips = signal<readonly EarlierClip[]>([]);
  const last = signal<'taken' | 'refused' | 'cleared'>('taken');
  /**
   * Maps a clip's object URL to its entry in the store (undefined if the browser refused it). `forget` replaces the map, so that a
   * `keep` or `replace` in flight can see that the store was cleared.
   */
  let names = new Map<string, Promise<string | undefined>>();
  const isCleared = ({ address }: EarlierClip) => address !== null && !names.has(address);
  const kept = computed(() => {
    if (last.value === 'refused') return 'none';
    if (last.value === 'cleared') return 'cleared'; // Until another clip is kept: `names` needs no signal of its own.
    if (clips.value.some(isCleared)) return 'new';
    return clips.value.every(({ address }) => address) ? 'all' : 'videos';
  });

  const release = ({ address }: EarlierClip) => {
    if (!address) return;
    names.delete(address);
    URL.revokeObjectURL(address);
  };
  const set = (all: readonly EarlierClip[], most: number) => {
    clips.value = all.slice(0, most);
    all.slice(most).forEach(release);
  };
  const loaded = store.load().then((all) => {
    const old = all.map(({ name, video, ...clip }) => {
      const address = URL.createObjectURL(video);
      names.set(address, Promise.resolve(name));
      return { ...clip, address };
    });
    set([...clips.value, ...old], storedClips); // one of them was on the stage
  });

  return {
    clips,
    kept,
    isAtRisk: computed(() => clips.value.some(({ address, isUnsaved }) => address && isUnsaved?.value)),
    add: (clip) => set([clip, ...clips.value], shelfSize),
    noteSaved(address) {
      const saved = clips.value.find((clip) => clip.address === address)?.isUnsaved;
      if (saved) saved.value = false;
    },
    async keep(clip, address) {
      // A clip of this visit is on the page already: it must not be found again as an old one.
      const name = loaded.then(() => store.keep(clip));
      const here = names;
      here.set(address, name);
      const isTaken = (await name) !== undefined;
      if (here === names) last.value = isTaken ? 'taken' : 'refused';
    },
    async replace(from, clip, to) {
      const here = names;
      const before = here.get(from);
      if (!before) return; // It was cleared away: what follows from it is not to come back.
      const again = before.then(async (name) => {
        if (name && here === names) await store.keep(clip, name);
        return name;
      });
      here.delete(from);
      here.set(to, again);
      await again;
    },
    async remove(clip) {
      const name = clip.address && (await names.get(clip.address));
      if (name) await store.remove(name);
      clips.value = clips.value.filter((other) => other !== clip);
      release(clip);
    },
    forget() {
      names = new Map();
      last.value = 'cleared';
    },
  };
}
