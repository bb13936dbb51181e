// The clips before the last one, newest first: of this visit, and of earlier ones as far as the browser keeps them. How they are
// kept is clip-store.ts's, and what a visitor sees shelf.tsx's.
import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Restored } from '../options';
import { type ClipStore, openClipStore, type StoredClip } from './clip-store';
import type { GivenPicture } from './settings';

/** What there is of a clip when the page is left. It stays with the clip, on whatever paper, on the stage and on the shelf. */
export interface Remains {
  /** The name of its entry in the store; undefined while it is on its way there, `null` where there is none. */
  readonly entry: Signal<string | null | undefined>;
  /** A file of all of it, not of one page, was handed to the visitor. */
  readonly isSaved: Signal<boolean>;
}

export interface EarlierClip extends Remains {
  /** Object URL of the MP4, `null` where none could be encoded. */
  readonly address: string | null;
  readonly title: string;
  readonly settings: Restored;
  /** What it started from, where that was a picture and is still known. */
  readonly picture?: GivenPicture | undefined;
}

/** How many are at hand: their files are in memory. */
export const shelfSize = 8;
/** How many are stored: the last one, too, which is not on the shelf. */
export const storedClips = shelfSize + 1;

/** Nothing of it, neither stored nor saved. */
export function isUnsafe({ entry, isSaved }: Remains): boolean {
  return !entry.value && !isSaved.value;
}

export interface Earlier {
  readonly clips: ReadonlySignal<readonly EarlierClip[]>;
  /** None of them is known not to be stored. */
  readonly areKept: ReadonlySignal<boolean>;
  /** There is an MP4 among them that was neither saved nor stored. */
  readonly isAtRisk: ReadonlySignal<boolean>;
  /** All that was stored is gone, and no clip was stored since. */
  readonly isCleared: ReadonlySignal<boolean>;
  /** A clip that another one takes the place of. The oldest of too many goes. */
  add(clip: EarlierClip): void;
  /** Stores a clip that was just finished. */
  keep(clip: StoredClip & Remains): Promise<void>;
  /** A clip has another video, on another paper: it is stored in place of itself, where it is stored. */
  replace(clip: StoredClip & Remains): Promise<void>;
  /** Here and where it is stored. @throws where storage fails; then it stays */
  remove(clip: EarlierClip): Promise<void>;
  /** What was stored is gone. */
  forget(): void;
}

/** Begins with what earlier visits left. */
export function createEarlier(store: ClipStore = openClipStore(storedClips)): Earlier {
  const clips = signal<readonly EarlierClip[]>([]);
  const isCleared = signal(false);
  /** Of the clips here, and of the one on the stage. */
  const entries = new Set<Remains['entry']>();

  const release = ({ address, entry }: EarlierClip) => {
    entries.delete(entry);
    if (address) URL.revokeObjectURL(address);
  };
  const set = (all: readonly EarlierClip[], most: number) => {
    clips.value = all.slice(0, most);
    all.slice(most).forEach(release);
  };
  /** @param names of entries that are gone; without them, all are */
  const lose = (names?: readonly string[]) => {
    batch(() => {
      for (const entry of entries) if (!names || names.includes(entry.value ?? '')) entry.value = null;
      if (!names) isCleared.value = true;
    });
  };
  store.onGone(lose);

  // What is asked of the store is done one after the other: each finds a clip as the one before left it. The first is to read it, so
  // that a clip of this visit is not found again as an old one.
  let work: Promise<unknown> = store.load().then((all) => {
    const old = all.map(({ name, video, ...clip }) => {
      const entry: Remains['entry'] = signal(name);
      entries.add(entry);
      return { ...clip, address: URL.createObjectURL(video), entry, isSaved: signal(false) };
    });
    set([...clips.value, ...old], storedClips); // one of them was on the stage
  });
  const next = (act: () => Promise<void>) => {
    const done = work.then(act);
    work = done.catch(() => undefined);
    return done;
  };

  return {
    clips,
    areKept: computed(() => clips.value.every(({ entry }) => entry.value !== null)),
    isAtRisk: computed(() => clips.value.some((clip) => clip.address && isUnsafe(clip))),
    isCleared,
    add: (clip) => set([clip, ...clips.value], shelfSize),
    keep(clip) {
      const { entry } = clip;
      entry.value = undefined;
      entries.add(entry);
      return next(async () => {
        const name = await store.keep(clip);
        if (entry.value === null) return; // Cleared away meanwhile.
        batch(() => {
          entry.value = name ?? null;
          if (!name) return;
          isCleared.value = false;
          set(clips.value, shelfSize); // The one on the stage is stored, and the oldest of too many is not any more.
        });
      });
    },
    replace: (clip) =>
      next(async () => {
        // What was cleared away is not to come back on another paper.
        if (clip.entry.value) await store.keep(clip, clip.entry.value);
      }),
    async remove(clip) {
      await next(async () => {
        if (clip.entry.value) await store.remove(clip.entry.value);
      });
      clips.value = clips.value.filter((other) => other !== clip);
      release(clip);
    },
    forget() {
      lose();
      store.noteCleared();
    },
  };
}
