// The page's state on a fake engine: what a visitor does, what the engine is asked for, what is kept.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { DoneEvent } from '../../src/events';
import { FlipbookError } from '../../src/gpu/errors';
import type { StartPicture } from '../../src/media/picture';
import { defaults, frameSide, type GenerateOptions, limits } from '../../src/options';
import { stepped } from '../../src/ui/form';
import { createSession, shelfSize } from '../../src/ui/session';
import { type FakeEngine, fakeEngine } from './fake-engine';

const done = (options: GenerateOptions, video: Blob | null = new Blob(['mp4'])): DoneEvent => ({
  type: 'done',
  video,
  codec: video && 'avc1.64001f',
  options,
  stats: {
    seconds: { total: 12, load: 1, compile: 1, perStep: 1, decode: 1, encode: 1 },
    bytesInUse: 1,
    peakGpuBytes: 2,
  },
});

function storage() {
  const stored = new Map<string, string>();
  return {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
    removeItem: (key: string) => void stored.delete(key),
  };
}

let engine: FakeEngine;
beforeEach(() => {
  vi.stubGlobal('localStorage', storage());
  vi.stubGlobal('location', { href: 'https://flipbook.test/page' });
  engine = fakeEngine();
});
afterEach(() => vi.unstubAllGlobals());

/** Starts a clip and finishes it. */
async function make(session: ReturnType<typeof createSession>, video?: Blob | null): Promise<void> {
  const run = session.generate();
  engine.send(done(engine.asked.at(-1) ?? defaults, video));
  engine.end();
  await run;
}

describe('generate', () => {
  test('asks for what the form says and keeps the finished clip', async () => {
    const session = createSession(engine);
    session.edit('prompt', 'a rocket');
    await make(session);
    expect(engine.asked).toEqual([{ ...defaults, prompt: 'a rocket' }]);
    expect(session.clip.value?.address).toMatch(/^blob:/);
    expect(session.progress.value).toBeUndefined();
  });

  test('with a wrong form asks for nothing and says which field comes first', async () => {
    const session = createSession(engine);
    session.edit('frames', '7');
    session.edit('steps', 'abc');
    expect(session.visibleErrors.value).toEqual({});
    expect(await session.generate()).toBe('steps');
    expect(Object.keys(session.visibleErrors.value)).toEqual(['steps', 'frames']);
    expect(session.form.steps.value).toBe('abc');
    expect(engine.asked).toEqual([]);
  });

  test('runs once at a time', async () => {
    const session = createSession(engine);
    const run = session.generate();
    await session.generate();
    expect(engine.asked).toHaveLength(1);
    engine.end();
    await run;
  });

  test('a cancelled or failed run leaves the last clip, and the form, as they were', async () => {
    const session = createSession(engine);
    await make(session);
    const clip = session.clip.value;
    const cancelled = session.generate();
    session.cancel();
    await cancelled;
    expect(session.failure.value).toBeUndefined();
    const lost = session.generate();
    engine.end({ code: 'device-lost', message: 'gone', hint: '' });
    await lost;
    expect(session.failure.value).toMatchObject({ code: 'device-lost' });
    expect(session.clip.value).toBe(clip);
    expect(session.progress.value).toBeUndefined();
  });

  test('the next clip puts the one before on the shelf, whose file stays until there are too many', async () => {
    const session = createSession(engine);
    const made: (string | null | undefined)[] = [];
    for (let i = 0; i < shelfSize + 2; i++) {
      await make(session, new Blob([`clip ${i}`]));
      made.unshift(session.clip.value?.address);
    }
    expect(session.earlier.value.map(({ address }) => address)).toEqual(made.slice(1, -1));
    expect(await (await fetch(made.at(-2)!)).text()).toBe('clip 1');
    await expect(fetch(made.at(-1)!)).rejects.toThrow();
  });

  test('a clip without a video says why', async () => {
    const session = createSession(engine);
    await make(session, null);
    expect(session.clip.value?.address).toBeNull();
    expect(session.failure.value?.code).toBe('encoder');
  });
});

describe('the seed', () => {
  test('unlocked: the number shown is used once, then another is rolled', async () => {
    const session = createSession(engine);
    await make(session);
    await make(session);
    const [first, second] = engine.asked;
    expect(first?.seed).toBe(defaults.seed);
    expect(second?.seed).not.toBe(first?.seed);
    expect(session.form.seed.value).toBe(String(second?.seed));
  });

  test('typed by hand it is locked and stays', async () => {
    const session = createSession(engine);
    session.edit('seed', '11');
    expect(session.seedLocked.value).toBe(true);
    await make(session);
    await make(session);
    expect(engine.asked.map(({ seed }) => seed)).toEqual([11, 11]);
  });
});

describe('the start picture', () => {
  const sha256 = 'ab'.repeat(32);
  const pixels = {
    width: frameSide,
    height: frameSide,
    data: new Uint8ClampedArray(frameSide * frameSide * 4).fill(7),
  };
  const file = (name: string) => new File(['x'], name, { type: 'image/png' });
  const reader = (result: () => StartPicture | Promise<StartPicture>) => ({ readPicture: async () => result() });
  const good = reader(() => ({ name: 'cat.png', sha256, pixels }));

  test('goes to the engine with its name in the options; the prompt may be empty', async () => {
    const session = createSession(engine, good);
    session.edit('prompt', '');
    await session.start.use(file('cat.png'));
    await make(session);
    expect(engine.asked).toEqual([{ ...defaults, prompt: '', picture: sha256 }]);
    expect(engine.pictures).toEqual([pixels]);
    expect(session.clip.value?.title).toBe('cat.png');
    session.start.remove();
    expect(await session.generate()).toBe('prompt');
  });

  test('a part of it is redrawn while it is there; its box waits where it is not', async () => {
    const session = createSession(engine, good);
    session.edit('redraw', '4,4,8,8');
    await make(session);
    await session.start.use(file('cat.png'));
    await make(session);
    expect(engine.asked.map(({ picture, redraw }) => [picture, redraw])).toEqual([
      [undefined, undefined],
      [sha256, '4,4,8,8'],
    ]);
    session.edit('redraw', 'the nose');
    expect(await session.generate()).toBe('redraw');
    session.start.remove();
    expect(session.errors.value).toEqual({});
  });

  test('a file that is none is explained, and the picture before stays', async () => {
    let fits = true;
    const session = createSession(
      engine,
      reader(() => {
        if (!fits) throw new FlipbookError('input', '“a.txt” is no picture.', { hint: 'Use a PNG.' });
        return { name: 'cat.png', sha256, pixels };
      }),
    );
    await session.start.use(file('cat.png'));
    fits = false;
    await session.start.use(file('a.txt'));
    expect(session.start.problem.value).toBe('“a.txt” is no picture. Use a PNG.');
    expect(session.start.picture.value?.name).toBe('cat.png');
    expect(session.failure.value).toBeUndefined();
    session.start.remove();
    expect(session.start.problem.value).toBe('');
  });

  test('of two given at once the last one counts', async () => {
    const answers: ((picture: StartPicture) => void)[] = [];
    const session = createSession(
      engine,
      reader(() => new Promise((resolve) => void answers.push(resolve))),
    );
    const both = [session.start.use(file('1')), session.start.use(file('2'))];
    answers[1]?.({ name: '2', sha256, pixels });
    answers[0]?.({ name: '1', sha256, pixels });
    await Promise.all(both);
    expect(session.start.picture.value?.name).toBe('2');
  });

  test('survives a reload to the last bit, and tampered storage does no harm', async () => {
    await createSession(engine, good).start.use(file('cat.png'));
    expect(createSession(fakeEngine()).start.picture.value).toEqual({ name: 'cat.png', sha256, pixels });
    for (const text of ['[', '7', `{"name":"x","sha256":"${sha256}","pixels":"AAAA"}`, `{"name":"x","sha256":"z"}`]) {
      localStorage.setItem('flipbook:picture', text);
      expect(createSession(fakeEngine()).start.picture.value).toBeUndefined();
    }
  });

  test('a link names it and never brings it', async () => {
    const session = createSession(engine, good);
    await session.start.use(file('cat.png'));
    const { hash } = new URL(session.link() ?? '');
    expect(hash).toContain(`picture=${sha256}`);
    // Here it is still known from before; elsewhere it is missing until somebody adds it.
    expect(createSession(fakeEngine(), { hash }).start.missing.value).toBe('');
    localStorage.removeItem('flipbook:picture');
    const elsewhere = createSession(fakeEngine(), { hash, ...good });
    expect(elsewhere.start.missing.value).toBe(sha256);
    expect(elsewhere.start.picture.value).toBeUndefined();
    await elsewhere.start.use(file('cat.png'));
    expect(elsewhere.start.missing.value).toBe('');
  });

  test('a link or a file without one is about words alone', async () => {
    const session = createSession(engine, good);
    await session.start.use(file('cat.png'));
    expect(createSession(fakeEngine(), { hash: '#prompt=a+crab' }).start.picture.value).toBeUndefined();
    session.restore({ prompt: 'a crab' }, 'a file');
    expect(session.start.picture.value).toBeUndefined();
    expect(session.note.value).toMatch(/yours is removed/);
    session.restore({ prompt: '', picture: sha256 }, 'a file');
    expect(session.note.value).toMatch(/picture that it started from is not in it/);
  });
});

describe('memory', () => {
  test('the form comes back as typed, right or wrong', () => {
    const session = createSession(engine);
    session.edit('prompt', 'a ghost');
    session.edit('steps', 'abc');
    const next = createSession(fakeEngine());
    expect(next.form.prompt.value).toBe('a ghost');
    expect(next.form.steps.value).toBe('abc');
  });

  test('two tabs do not overwrite each other, and a new one begins with the last', () => {
    const open = (tab: ReturnType<typeof storage>) => {
      vi.stubGlobal('sessionStorage', tab);
      return createSession(fakeEngine());
    };
    const [one, two] = [storage(), storage()];
    open(one).edit('prompt', 'a ghost');
    open(two).edit('prompt', 'a crab');
    expect(open(storage()).form.prompt.value).toBe('a crab');
    expect(open(one).form.prompt.value).toBe('a ghost');
    expect(open(two).form.prompt.value).toBe('a crab');
  });

  test.each(['[', 'null', '7', '[1]', '{"prompt":{"a":1},"steps":5}'])('stored %s does no harm', (text) => {
    localStorage.setItem('flipbook:settings', text);
    expect(createSession(engine).form.prompt.value).toBe(defaults.prompt);
  });

  test('works where storage is forbidden', () => {
    const forbidden = () => {
      throw new Error('forbidden');
    };
    vi.stubGlobal('localStorage', { getItem: forbidden, setItem: forbidden, removeItem: forbidden });
    const session = createSession(engine);
    session.edit('prompt', 'a ghost');
    expect(session.form.prompt.value).toBe('a ghost');
  });

  test('a link wins over memory, locks its seed and shows its mistakes', () => {
    createSession(engine).edit('prompt', 'a ghost');
    const session = createSession(engine, { hash: '#prompt=a+crab&seed=9&steps=0' });
    expect(session.form.prompt.value).toBe('a crab');
    expect(session.seedLocked.value).toBe(true);
    expect(Object.keys(session.visibleErrors.value)).toEqual(['steps']);
    expect(session.link()).toBeUndefined();
    session.edit('steps', '4');
    expect(session.link()).toMatch(/^https:\/\/flipbook\.test\/page#prompt=a\+crab&seed=9&steps=4/);
  });

  test('what a link or a file leaves out, though it may, is left out here too', () => {
    const session = createSession(engine);
    const chosen = { motion: '3', redraw: '4,4,8,8' };
    session.restore(chosen, 'a file');
    expect(createSession(fakeEngine()).form.motion.value).toBe('3');
    const linked = createSession(fakeEngine(), { hash: '#prompt=a+crab' });
    expect([linked.form.motion.value, linked.form.redraw.value]).toEqual(['', '']);
    session.restore({ prompt: 'a crab', motion: '2' }, 'a file');
    expect([session.form.motion.value, session.form.redraw.value]).toEqual(['2', '']);
  });
});

test.each([
  ['8', 1, 'steps', '9'],
  ['200', 4, 'steps', '200'],
  ['abc', 1, 'steps', '2'],
  ['36', 1, 'frames', '40'],
  ['7', 1, 'frames', '8'],
  ['7', -1, 'frames', '4'],
  ['4', -1, 'guidance', '3.5'],
  ['0', -1, 'guidance', '0'],
  ['', 1, 'motion', '1.25'],
  ['4', 1, 'motion', '4'],
] as const)('%s stepped by %d in %s is %s', (text, by, field, expected) => {
  expect(stepped(text, by, field)).toBe(expected);
  expect(Number(expected)).toBeLessThanOrEqual(limits[field].max);
});
