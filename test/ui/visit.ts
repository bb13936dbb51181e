// What the tests of the page's state share: a visit in a browser without memory, and a clip from beginning to end.
import { vi } from 'vitest';
import type { DoneEvent } from '../../src/events';
import { defaults, type GenerateOptions } from '../../src/options';
import type { ClipStore } from '../../src/ui/clip-store';
import type { Session } from '../../src/ui/session';
import { type FakeEngine, fakeEngine } from './fake-engine';

/** Its keys are what it holds, as those of a browser's are. */
export function storage() {
  const stored: Record<string, string> = Object.create({
    getItem: (key: string) => stored[key] ?? null,
    setItem: (key: string, value: string) => {
      stored[key] = value;
    },
    removeItem: (key: string) => delete stored[key],
  });
  return stored;
}

/** Stubs what the page's state needs of a browser; `vi.unstubAllGlobals()` ends it. */
export function visit(): FakeEngine {
  vi.stubGlobal('localStorage', storage());
  vi.stubGlobal('location', { href: 'https://flipbook.test/page' });
  return fakeEngine();
}

/** Keeps whatever it is given, and has nothing of earlier visits. */
export const emptyStore: ClipStore = {
  load: async () => [],
  keep: async () => 'a name',
  remove: async () => undefined,
  onGone: () => undefined,
  noteCleared: () => undefined,
};

/** @param video `null`: none could be encoded @param problem why */
export const done = (options: GenerateOptions, video: Blob | null, problem?: DoneEvent['problem']): DoneEvent => ({
  type: 'done',
  video,
  ...(problem && { problem }),
  codec: video && 'avc1.64001f',
  options,
  stats: {
    seconds: { total: 12, load: 1, compile: 1, perStep: 1, decode: 1, encode: 1 },
    bytesInUse: 1,
    peakGpuBytes: 2,
  },
});

/** Starts a clip and finishes it, as `done` says. */
export async function make(
  engine: FakeEngine,
  session: Session,
  video: Blob | null = new Blob(['mp4']),
  problem?: DoneEvent['problem'],
): Promise<void> {
  const run = session.generate();
  engine.send(done(engine.asked.at(-1) ?? defaults, video, problem));
  engine.end();
  await run;
}
