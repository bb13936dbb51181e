// A finished clip that is lost, with the graphics device or with the page: what is said of it, and when it is worth a question.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ClipStore } from '../../src/ui/clip-store';
import type { EarlierClip, Remains } from '../../src/ui/earlier';
import type { Clip } from '../../src/ui/finished';
import { createSession, type Session } from '../../src/ui/session';
import type { FakeEngine } from './fake-engine';
import { emptyStore, make, visit } from './visit';

let engine: FakeEngine;
beforeEach(() => {
  engine = visit();
});
afterEach(() => vi.unstubAllGlobals());

test('a finished clip whose frames are lost is said to be, once, and the next one is whole again', async () => {
  const session = createSession(engine);
  await session.attach(Object.create(null));
  engine.open(undefined);
  expect([session.isClipLost.value, session.note.value]).toEqual([false, '']); // There was none.
  await make(engine, session);
  engine.open(undefined);
  expect([session.isClipLost.value, session.adapter.value]).toEqual([true, undefined]);
  expect(session.note.value).toMatch(/frames are lost; you are seeing its MP4/);
  engine.open({ name: 'Test adapter', isSoftware: true });
  await make(engine, session, null);
  expect(session.isClipLost.value).toBe(false);
  engine.open(undefined);
  expect(session.note.value).toMatch(/frames are lost; it had no MP4/);
});

describe('a finished clip that is lost while no other is made', () => {
  async function lost(change: (session: Session) => void | Promise<void>) {
    const session = createSession(engine, { clipStore: emptyStore });
    await session.attach(Object.create(null));
    await make(engine, session);
    await change(session);
    engine.open(undefined);
    return session;
  }

  test.each<[string, (session: Session) => void, RegExp]>([
    ['of itself', () => undefined, /press Generate while the form still has its settings\.$/],
    [
      'while its MP4 is made anew',
      (session) => {
        session.edit('background', '#123456');
        void session.recorded();
      },
      /Press Generate again/,
    ],
  ])(
    '%s is drawn again by Generate, as is said, though its seed is not locked; then others are',
    async (_when, change, words) => {
      const session = await lost(change);
      engine.end({ code: 'device-lost', message: 'gone', hint: 'Press Generate again.' });
      await vi.waitFor(() => expect(session.progress.value).toBeUndefined());
      expect(session.seedLocked.value).toBe(false);
      expect(session.announcement.value).toMatch(words);
      for (let clip = 0; clip < 2; clip++) await make(engine, session);
      const [first, again, next] = engine.asked;
      expect(again).toEqual({ ...first, background: again?.background });
      expect(next?.seed).not.toBe(first?.seed);
    },
  );

  test('is drawn again with its settings once it is among the earlier ones, as is said, even without an MP4', async () => {
    const session = createSession(engine, { clipStore: emptyStore });
    await session.attach(Object.create(null));
    await make(engine, session, null);
    session.edit('steps', '3');
    engine.open(undefined);
    expect(session.note.value).toMatch(
      /had no MP4\. To draw it again, make another clip, then press “Use its settings”/,
    );
    await make(engine, session);
    session.restore(session.earlier.clips.value[0]!.settings, 'it');
    await make(engine, session);
    expect(engine.asked[2]).toEqual(engine.asked[0]);
  });

  test.each<[string, (session: Session) => void | Promise<void>, RegExp]>([
    [
      'is on another paper',
      (session) => session.edit('background', '#123456'),
      /while the form still has its settings/,
    ],
    [
      'is of other settings',
      (session) => session.edit('steps', '3'),
      /make another clip, then press “Use its settings”/,
    ],
    [
      'was to be followed by another, which was cancelled',
      async (session) => {
        const run = session.generate();
        session.cancel();
        await run;
      },
      /make another clip, then press “Use its settings”/,
    ],
  ])('is said to be drawn by Generate only where that is so: it %s', async (_what, change, words) => {
    expect((await lost(change)).note.value).toMatch(words);
  });
});

/** As the buttons do that hand a file of it to the visitor. */
function save({ isSaved }: Remains): void {
  isSaved.value = true;
}

describe('a clip is at risk', () => {
  const refusing: ClipStore = { ...emptyStore, keep: async () => undefined };

  test.each<[string, ClipStore, Blob | null, boolean]>([
    ['not where it is stored', emptyStore, new Blob(['mp4']), false],
    ['where the browser did not take it', refusing, new Blob(['mp4']), true],
    ['where it has no MP4', emptyStore, null, true],
  ])('%s, until a file of all of it is saved', async (_where, clipStore, video, isAtRisk) => {
    const session = createSession(engine, { clipStore });
    expect(session.isAtRisk.value).toBe(false);
    await make(engine, session, video);
    await vi.waitFor(() => expect(session.isAtRisk.value).toBe(isAtRisk));
    const saved = session.clip.value!;
    save(saved);
    expect(session.isAtRisk.value).toBe(false);
    await make(engine, session, video);
    save(saved); // That was the one before.
    await vi.waitFor(() => expect(session.isAtRisk.value).toBe(isAtRisk));
  });

  test('once what is stored was cleared, and not any more where nothing of it is left', async () => {
    const session = createSession(engine, { clipStore: emptyStore });
    await session.attach(Object.create(null));
    await make(engine, session);
    await session.clearStored();
    expect(session.isAtRisk.value).toBe(true);
    await make(engine, session, null);
    save(session.earlier.clips.value[0]!);
    expect(session.isAtRisk.value).toBe(true);
    engine.open(undefined);
    expect(session.isAtRisk.value).toBe(false);
  });

  test('until it is stored', async () => {
    let store: (name: string) => void = () => undefined;
    const keep = () =>
      new Promise<string>((resolve) => {
        store = resolve;
      });
    const session = createSession(engine, { clipStore: { ...emptyStore, keep } });
    await make(engine, session);
    expect(session.isAtRisk.value).toBe(true);
    store('a name');
    await vi.waitFor(() => expect(session.isAtRisk.value).toBe(false));
  });

  describe('once its entry is gone', () => {
    /** Two stored clips, and what tells the page that some are gone. */
    async function stored() {
      let lose: (names?: readonly string[]) => void = () => undefined;
      let count = 0;
      const clipStore: ClipStore = {
        ...emptyStore,
        keep: async () => `clip ${++count}`,
        onGone: (callback) => {
          lose = callback;
        },
      };
      const session = createSession(engine, { clipStore });
      for (const name of ['clip 1', 'clip 2']) {
        await make(engine, session);
        await vi.waitFor(() => expect(session.clip.value?.entry.value).toBe(name));
      }
      expect(session.isAtRisk.value).toBe(false);
      const [earlier] = session.earlier.clips.value as [EarlierClip];
      return { session, lose, last: session.clip.value!, earlier };
    }

    test.each(['last', 'earlier'] as const)('for want of room, or by another tab: the %s one', async (which) => {
      const { session, lose, [which]: clip } = await stored();
      lose(['of another clip']);
      expect(session.isAtRisk.value).toBe(false);
      lose(['of another clip', clip.entry.value!]);
      expect([session.isAtRisk.value, session.earlier.areKept.value]).toEqual([true, which === 'last']);
      save(clip);
      expect(session.isAtRisk.value).toBe(false);
    });

    test.each<[string, (session: Session, lose: () => void) => unknown]>([
      ['here', (session) => session.clearStored()],
      ['in another tab', (_session, lose) => lose()],
    ])(
      'with all others, cleared away %s: the earlier one, too, after the last one was saved',
      async (_where, clear) => {
        const { session, lose, last, earlier } = await stored();
        await clear(session, lose);
        save(last);
        expect([session.isAtRisk.value, session.earlier.isCleared.value]).toEqual([true, true]);
        save(earlier);
        expect(session.isAtRisk.value).toBe(false);
      },
    );
  });

  describe('among the earlier ones, too, where the browser did not take it', () => {
    /** @param change of the session, with the clip on the stage */
    async function shelved(change: (session: Session) => void = () => undefined) {
      let stored = 0;
      const clipStore: ClipStore = { ...emptyStore, keep: async () => (stored++ > 0 ? 'a name' : undefined) };
      const session = createSession(engine, { clipStore });
      await session.attach(Object.create(null));
      await make(engine, session);
      await vi.waitFor(() => expect(session.isAtRisk.value).toBe(true));
      change(session);
      await make(engine, session);
      await vi.waitFor(() => expect(session.clip.value?.entry.value).toBe('a name'));
      expect(session.earlier.areKept.value).toBe(false);
      return session;
    }

    test.each<[string, (session: Session) => unknown]>([
      ['it is saved', ({ earlier }) => save(earlier.clips.value[0]!)],
      ['it is removed', ({ earlier }) => earlier.remove(earlier.clips.value[0]!)],
    ])('until %s', async (_what, act) => {
      const session = await shelved();
      expect(session.isAtRisk.value).toBe(true);
      await act(session);
      expect(session.isAtRisk.value).toBe(false);
    });

    test('until it is handed over, be it that the next one was finished meanwhile', async () => {
      let handed: Clip | undefined;
      const session = await shelved((before) => {
        handed = before.clip.value;
      });
      save(handed!);
      expect(session.isAtRisk.value).toBe(false);
    });

    test('unless it was saved before', async () => {
      const session = await shelved((before) => save(before.clip.value!));
      expect(session.isAtRisk.value).toBe(false);
    });

    test('even when nothing is left of the one on the stage', async () => {
      const session = await shelved();
      await make(engine, session, null);
      engine.open(undefined);
      expect(session.isAtRisk.value).toBe(true);
      save(session.earlier.clips.value[1]!);
      expect(session.isAtRisk.value).toBe(false);
    });
  });
});
