// Earlier clips: which are at hand, which are kept for the next visit, and how one is removed. How they are stored is
// clip-store.gpu.test.ts's.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { defaults } from '../../src/options';
import type { ClipStore, KeptClip, StoredClip } from '../../src/ui/clip-store';
import { type EarlierClip, shelfSize, storedClips } from '../../src/ui/earlier';
import { createSession, type Session } from '../../src/ui/session';
import type { FakeEngine } from './fake-engine';
import { file, good, pixels, sha256 } from './pictures';
import { emptyStore, make, visit } from './visit';

const picture = { name: 'cat.png', sha256, pixels };

let engine: FakeEngine;
beforeEach(() => {
  engine = visit();
});
afterEach(() => vi.unstubAllGlobals());

test('the next clip puts the one before on the shelf, whose file stays until there are too many', async () => {
  const session = createSession(engine);
  const made: (string | null | undefined)[] = [];
  for (let i = 0; i < shelfSize + 2; i++) {
    await make(engine, session, new Blob([`clip ${i}`]));
    made.unshift(session.clip.value?.address);
  }
  expect(session.earlier.clips.value.map(({ address }) => address)).toEqual(made.slice(1, -1));
  expect(await (await fetch(made.at(-2)!)).text()).toBe('clip 1');
  await expect(fetch(made.at(-1)!)).rejects.toThrow();
});

test('clips of earlier visits come after those of this one, and each clip with a video is kept for the next', async () => {
  const kept: [string, string][] = [];
  const removed: string[] = [];
  const clipStore: ClipStore = {
    ...emptyStore,
    load: async () => [
      { name: '0', video: new Blob(['old']), title: 'a ghost', settings: { prompt: 'a ghost', seed: '3' } },
    ],
    keep: async ({ video, title }) => {
      const text = await video.text();
      kept.push([text, title]);
      return text === 'refused' ? undefined : text;
    },
    remove: async (name) => void removed.push(name),
  };
  const session = createSession(engine, { clipStore });
  const isStored = (name: string | null) => vi.waitFor(() => expect(session.clip.value?.entry.value).toBe(name));
  await make(engine, session, new Blob(['refused']));
  await isStored(null);
  expect(session.earlier.areKept.value).toBe(true); // Those on the shelf.
  session.edit('prompt', 'a rocket');
  await make(engine, session, new Blob(['one']));
  await isStored('one');
  expect(session.earlier.areKept.value).toBe(false);
  await make(engine, session, null);
  const titles = () => session.earlier.clips.value.map(({ title, settings }) => [title, settings.seed]);
  expect(titles()).toEqual([
    ['a rocket', expect.stringMatching(/^\d+$/)],
    [defaults.prompt, String(defaults.seed)],
    ['a ghost', '3'],
  ]);
  expect(await (await fetch(session.earlier.clips.value[2]!.address!)).text()).toBe('old');
  await make(engine, session, new Blob(['refused']));
  await isStored(null);
  expect(kept).toEqual([
    ['refused', defaults.prompt],
    ['one', 'a rocket'],
    ['refused', 'a rocket'],
  ]);
  expect(titles()).toHaveLength(4);
  // Each is removed by itself, where it is stored, too; one was refused, one had no video: they are nowhere.
  for (const clip of session.earlier.clips.value) await session.earlier.remove(clip);
  expect([titles(), removed]).toEqual([[], ['one', '0']]);
});

test('a clip that is finished before earlier ones are read is not found again among them', async () => {
  const stored: KeptClip[] = [{ name: '0', video: new Blob(['old']), title: 'a ghost', settings: { seed: '3' } }];
  let read: (value?: unknown) => void = () => undefined;
  const reading = new Promise((resolve) => {
    read = resolve;
  });
  const clipStore: ClipStore = {
    ...emptyStore,
    load: async () => {
      await reading;
      return [...stored];
    },
    keep: async ({ video, title }) => {
      stored.unshift({ name: title, video, title, settings: {} });
      return title;
    },
  };
  const session = createSession(engine, { clipStore });
  await make(engine, session);
  read();
  await vi.waitFor(() => expect(stored).toHaveLength(2));
  await vi.waitFor(() => expect(session.earlier.clips.value).not.toEqual([]));
  expect(session.earlier.clips.value.map(({ title }) => title)).toEqual(['a ghost']);
});

test('a clip that cannot be removed where it is stored stays', async () => {
  const clipStore = { ...emptyStore, remove: () => Promise.reject(new Error('forbidden')) };
  const session = createSession(engine, { clipStore });
  await make(engine, session, new Blob(['first']));
  await make(engine, session);
  const [clip] = session.earlier.clips.value;
  await expect(session.earlier.remove(clip!)).rejects.toThrow('forbidden');
  expect(session.earlier.clips.value).toEqual([clip]);
  expect(await (await fetch(clip!.address!)).text()).toBe('first');
});

/** Puts the last clip on another paper. */
async function repaper(session: Session): Promise<void> {
  session.edit('background', '#123456');
  const again = session.recorded();
  engine.end();
  await again;
}

test('a clip that was put on another paper is stored in place of itself, and removed there', async () => {
  const kept: (string | undefined)[] = [];
  const removed: string[] = [];
  const clipStore: ClipStore = {
    ...emptyStore,
    keep: async (_clip, name) => {
      kept.push(name);
      return name ?? 'a name';
    },
    remove: async (name) => void removed.push(name),
  };
  const session = createSession(engine, { clipStore });
  await make(engine, session, new Blob(['first']));
  await repaper(session);
  await vi.waitFor(() => expect(kept).toEqual([undefined, 'a name']));
  await make(engine, session);
  await session.earlier.remove(session.earlier.clips.value[0]!);
  expect(removed).toEqual(['a name']);
});

test('the start picture is stored with a clip, on another paper, too, and is given back at the next visit', async () => {
  const kept: StoredClip[] = [];
  const settings = { prompt: 'a ghost', picture: sha256 };
  const clipStore: ClipStore = {
    ...emptyStore,
    load: async () => [{ name: '0', video: new Blob(['old']), title: 'a ghost', settings, picture }],
    keep: async (clip) => {
      kept.push(clip);
      return 'a name';
    },
  };
  const session = createSession(engine, { clipStore, ...good });
  await vi.waitFor(() => expect(session.earlier.clips.value[0]?.picture).toBe(picture));
  await session.usePicture(file('cat.png'));
  await make(engine, session);
  await repaper(session);
  await vi.waitFor(() => expect(kept.map((clip) => clip.picture?.pixels)).toEqual([pixels, pixels]));
  session.removePicture();
  const [{ settings: found, picture: its }] = session.earlier.clips.value as [EarlierClip];
  session.restore(found, 'the earlier clip', its);
  expect(session.start.picture.value).toBe(picture);
});

test('a clip is not stored again on another paper when it is cleared away before that is done', async () => {
  let store: (name: string) => void = () => undefined;
  const keep = vi.fn(
    () =>
      new Promise<string>((resolve) => {
        store = resolve;
      }),
  );
  const session = createSession(engine, { clipStore: { ...emptyStore, keep } });
  await make(engine, session, new Blob(['first']));
  await repaper(session);
  await session.clearStored();
  store('a name');
  await new Promise((resolve) => setTimeout(resolve));
  expect(keep).toHaveBeenCalledOnce();
  expect([session.earlier.isCleared.value, session.clip.value?.entry.value]).toEqual([true, null]);
});

test('a clip is removed where it is stored only once it is there on its last paper', async () => {
  const log: string[] = [];
  let store: () => void = () => undefined;
  const clipStore: ClipStore = {
    ...emptyStore,
    keep: async (_clip, name) => {
      if (name)
        await new Promise<void>((resolve) => {
          store = resolve;
        });
      log.push(name ? 'again' : 'first');
      return 'a name';
    },
    remove: async () => void log.push('removed'),
  };
  const session = createSession(engine, { clipStore });
  await make(engine, session, new Blob(['first']));
  await repaper(session);
  await make(engine, session, null);
  const removed = session.earlier.remove(session.earlier.clips.value[0]!);
  await new Promise((resolve) => setTimeout(resolve));
  store();
  await removed;
  expect(log).toEqual(['first', 'again', 'removed']);
});

test('a clip that was cleared away is not stored again on another paper', async () => {
  const keep = vi.fn(emptyStore.keep);
  const session = createSession(engine, { clipStore: { ...emptyStore, keep } });
  await make(engine, session, new Blob(['first']));
  await vi.waitFor(() => expect(keep).toHaveBeenCalledOnce());
  await session.clearStored();
  await repaper(session);
  expect(keep).toHaveBeenCalledOnce();
});

test('once what is stored was cleared, only clips made since are said to be kept', async () => {
  const keep = vi.fn(emptyStore.keep);
  const session = createSession(engine, { clipStore: { ...emptyStore, keep } });
  const { areKept, isCleared } = session.earlier;
  for (let i = 0; i < 3; i++) await make(engine, session, new Blob(['before']));
  await vi.waitFor(() => expect(keep).toHaveResolvedTimes(3));
  expect([areKept.value, isCleared.value]).toEqual([true, false]);
  await session.clearStored();
  expect([areKept.value, isCleared.value]).toEqual([false, true]);
  for (let i = 0; i < shelfSize; i++) {
    await make(engine, session, new Blob(['since']));
    await vi.waitFor(() => expect([areKept.value, isCleared.value]).toEqual([false, false]));
  }
  await make(engine, session, new Blob(['since']));
  await vi.waitFor(() => expect(areKept.value).toBe(true));
});

test('the oldest clip of earlier visits leaves a full shelf with the store', async () => {
  const stored = Array.from({ length: storedClips }, (_, i): KeptClip => {
    return { name: `${i}`, video: new Blob(['old']), title: `clip ${i}`, settings: {} };
  });
  let lose: (names: readonly string[]) => void = () => undefined;
  const clipStore: ClipStore = {
    ...emptyStore,
    load: async () => stored,
    onGone: (callback) => {
      lose = callback;
    },
    keep: async () => {
      lose([stored.at(-1)!.name]);
      return 'a name';
    },
  };
  const session = createSession(engine, { clipStore });
  await vi.waitFor(() => expect(session.earlier.clips.value).toHaveLength(storedClips));
  await make(engine, session);
  await vi.waitFor(() => expect(session.clip.value?.entry.value).toBe('a name'));
  expect(session.earlier.clips.value.map(({ title }) => title)).toEqual(stored.slice(0, -1).map(({ title }) => title));
  expect([session.earlier.areKept.value, session.isAtRisk.value]).toEqual([true, false]);
});
