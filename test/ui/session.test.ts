// The page's state on a fake engine: what a visitor does, what the engine is asked for, what is kept.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import { defaults, limits, modelTitle, usualMotion } from '../../src/options';
import type { ClipStore } from '../../src/ui/clip-store';
import { shelfSize } from '../../src/ui/earlier';
import { stepped } from '../../src/ui/form';
import { createSession } from '../../src/ui/session';
import { type FakeEngine, fakeEngine } from './fake-engine';
import { make, storage, visit } from './visit';

let engine: FakeEngine;
beforeEach(() => {
  engine = visit();
});
afterEach(() => vi.unstubAllGlobals());

describe('generate', () => {
  test('asks for what the form says and keeps the finished clip', async () => {
    const session = createSession(engine);
    session.edit('prompt', 'a rocket');
    await make(engine, session);
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
    await make(engine, session);
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

  test('trying again after a failure draws the clip that was to come; after a cancelled one the seed rolls on', async () => {
    const session = createSession(engine);
    const lost = session.generate();
    engine.end({ code: 'device-lost', message: 'gone', hint: '' });
    await lost;
    const again = session.generate();
    session.cancel();
    await again;
    await make(engine, session);
    const [first, second, third] = engine.asked.map(({ seed }) => seed);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  test('what the model does not see of the prompt is told', async () => {
    const session = createSession(engine);
    const run = session.generate();
    engine.send({ type: 'unread', unknown: ['🐱', '猫'], cut: ['with a very red hat'] });
    expect(session.note.value).toBe(
      'This model reads English words, and does not know “🐱”, “猫”. Too long to be read to its end: without “with a very red hat”.',
    );
    engine.end();
    await run;
  });

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
    const clipStore: ClipStore = {
      load: async () => [{ video: new Blob(['old']), title: 'a ghost', settings: { prompt: 'a ghost', seed: '3' } }],
      keep: async (video, title) => {
        kept.push([await video.text(), title]);
        return kept.length < 2;
      },
    };
    const session = createSession(engine, { clipStore });
    session.edit('prompt', 'a rocket');
    await make(engine, session, new Blob(['one']));
    await make(engine, session, null);
    await vi.waitFor(() => expect(kept).toEqual([['one', 'a rocket']]));
    expect(session.earlier.kept.value).toBe('all');
    const titles = () => session.earlier.clips.value.map(({ title, settings }) => [title, settings.seed]);
    expect(titles()).toEqual([
      ['a rocket', String(defaults.seed)],
      ['a ghost', '3'],
    ]);
    expect(await (await fetch(session.earlier.clips.value[1]!.address!)).text()).toBe('old');
    await make(engine, session, new Blob(['two']));
    await vi.waitFor(() => expect(session.earlier.kept.value).toBe('none'));
    expect(titles()).toHaveLength(3);
  });

  test('once what is stored was cleared, only clips made since are said to be kept', async () => {
    const session = createSession(engine, { clipStore: { load: async () => [], keep: async () => true } });
    const { kept } = session.earlier;
    for (let i = 0; i < 3; i++) await make(engine, session, new Blob(['before']));
    await vi.waitFor(() => expect(kept.value).toBe('all'));
    await session.clearStored();
    expect(kept.value).toBe('none');
    for (let i = 0; i < shelfSize; i++) {
      await make(engine, session, new Blob(['since']));
      await vi.waitFor(() => expect(kept.value).toBe('new'));
    }
    await make(engine, session, new Blob(['since']));
    await vi.waitFor(() => expect(kept.value).toBe('all'));
  });

  test('a clip without a video says why', async () => {
    const session = createSession(engine);
    await make(engine, session, null);
    expect(session.clip.value?.address).toBeNull();
    expect(session.failure.value?.code).toBe('encoder');
  });
});

describe('the background', () => {
  const night = '#232a3b';

  async function onNight() {
    const session = createSession(engine);
    await make(engine, session, new Blob(['first']));
    session.edit('background', night);
    return session;
  }

  test('changes under the finished clip at once; a wrong one changes nothing', async () => {
    const session = await onNight();
    session.edit('background', 'nigh');
    expect(session.background.value).toBe(defaults.background);
    session.edit('background', '#FFF');
    expect(engine.log).toEqual(
      [defaults.background, night, defaults.background, '#ffffff'].map((c) => `background ${c}`),
    );
    expect(engine.asked).toHaveLength(1);
  });

  test('is that of the video that is downloaded, which is made anew once', async () => {
    const session = await onNight();
    const recorded = session.recorded();
    expect(session.progress.value).toMatchObject({ part: 'frames', fraction: 1 / defaults.frames });
    engine.end();
    const clip = await recorded;
    expect(clip).toBe(session.clip.value);
    expect(clip?.options).toEqual({ ...defaults, background: night });
    expect(await (await fetch(clip!.address!)).text()).toBe('again');
    expect(await session.recorded()).toBe(clip);
    expect(engine.log.filter((line) => line === 'record')).toHaveLength(1);
    expect(session.progress.value).toBeUndefined();
    await make(engine, session);
    expect(session.earlier.clips.value[0]?.settings.background).toBe(night);
  });

  test('where it cannot be recorded the file that there was is given, unless that was cancelled', async () => {
    const session = await onNight();
    const before = session.clip.value;
    const cancelled = session.recorded();
    session.cancel();
    expect(await cancelled).toBeUndefined();
    expect(session.failure.value).toBeUndefined();
    const lost = session.recorded();
    engine.end({ code: 'device-lost', message: 'gone', hint: '' });
    expect(await lost).toBe(before);
    expect(session.failure.value?.code).toBe('device-lost');
    expect(session.note.value).toBe('This MP4 is on the paper that it was made on.');
    expect(await (await fetch(before!.address!)).text()).toBe('first');
  });

  test('while the next clip is made the last one is given as it is', async () => {
    const session = await onNight();
    const before = session.clip.value;
    const run = session.generate();
    expect(await session.recorded()).toBe(before);
    engine.end();
    await run;
  });
});

test('a graphics adapter that answers late is told of, and its pace with it', async () => {
  const late = fakeEngine({ attachError: { code: 'no-adapter', message: 'none', hint: '' } });
  const session = createSession(late);
  await session.attach(Object.create(null));
  expect(session.failure.value?.code).toBe('no-adapter');
  expect(session.adapter.value).toBeUndefined();
  localStorage.setItem('flipbook:pace', '{"Late chip":0.5}');
  late.open({ name: 'Late chip', isSoftware: false });
  expect(session.adapter.value).toEqual({ name: 'Late chip', isSoftware: false });
  expect(session.estimate.value).toBeGreaterThan(1);
});

describe('the seed', () => {
  test('unlocked: the number shown is used once, then another is rolled', async () => {
    const session = createSession(engine);
    await make(engine, session);
    await make(engine, session);
    const [first, second] = engine.asked;
    expect(first?.seed).toBe(defaults.seed);
    expect(second?.seed).not.toBe(first?.seed);
    expect(session.form.seed.value).toBe(String(second?.seed));
  });

  test('typed by hand it is locked and stays', async () => {
    const session = createSession(engine);
    session.edit('seed', '11');
    expect(session.seedLocked.value).toBe(true);
    await make(engine, session);
    await make(engine, session);
    expect(engine.asked.map(({ seed }) => seed)).toEqual([11, 11]);
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

  test('a link leaves what is stored alone until something is changed, or a clip is made of it', async () => {
    createSession(engine).edit('prompt', 'a ghost');
    const link = { hash: '#prompt=a+crab&seed=9' };
    const mine = () => createSession(fakeEngine()).form.prompt.value;
    createSession(engine, link);
    expect(mine()).toBe('a ghost');
    await make(engine, createSession(engine, link));
    expect(mine()).toBe('a crab');

    const open = createSession(engine);
    open.openLink('#prompt=a+boat');
    expect([open.form.prompt.value, open.borrowed.value, mine()]).toEqual(['a boat', true, 'a crab']);
    open.seedLocked.value = false;
    expect([open.borrowed.value, mine()]).toEqual([false, 'a boat']);
    const again = createSession(engine, link);
    again.edit('prompt', 'a crabby');
    again.edit('prompt', 'a crab');
    expect(mine()).toBe('a crab');
  });

  test('what settings from elsewhere or an idea replaced can be put back, until a clip is made of them', async () => {
    const session = createSession(engine);
    session.edit('prompt', 'a long and winding prompt');
    session.edit('motion', '2');
    session.restore({ prompt: 'a crab', seed: '9' }, 'a file');
    expect([session.form.prompt.value, session.form.motion.value, session.seedLocked.value]).toEqual([
      'a crab',
      '',
      true,
    ]);
    session.tell('Link copied.');
    expect(session.replaced.value?.words).toBe('Settings restored from a file.');
    session.edit('steps', '20');
    session.replaced.value?.takeBack();
    const { prompt, motion, seed } = session.form;
    expect([prompt.value, motion.value, seed.value]).toEqual(['a long and winding prompt', '2', String(defaults.seed)]);
    expect(session.seedLocked.value).toBe(false);
    expect(session.announcement.value).toBe('Your settings are back.');
    session.replaced.value?.takeBack(); // Forth again, with what was typed since.
    expect([prompt.value, seed.value, session.form.steps.value]).toEqual(['a crab', '9', '20']);
    session.suggest('a car');
    session.replaced.value?.takeBack();
    expect(prompt.value).toBe('a crab');
    session.suggest('a car');
    await make(engine, session);
    expect(session.replaced.value).toBeUndefined();
  });

  test('a failure is announced in the words of its notice', async () => {
    const session = createSession(engine);
    session.report(new FlipbookError('no-webgpu', 'navigator.gpu is missing'));
    expect(session.announcement.value).toMatch(
      /^This browser has no WebGPU\. Flipbook draws on your own graphics chip/,
    );
    expect(session.announcement.value).not.toContain('navigator');
  });

  test('settings that were used with another model are said to draw another clip, in links and files', async () => {
    const old = { hash: '#prompt=a+crab&model=sticker+0.1.0' };
    const words = `They were used with another model (sticker 0.1.0): this one (${modelTitle}) draws another clip with them.`;
    const linked = createSession(engine, old);
    expect(linked.note.value).toBe(words);
    expect(createSession(engine, { hash: new URL(linked.link()!).hash }).note.value).toBe('');
    const session = createSession(engine);
    expect(session.note.value).toBe('');
    session.restore({ prompt: 'a crab', model: 'sticker 0.1.0' }, 'a file');
    expect(session.replaced.value?.words).toBe(`Settings restored from a file. ${words}`);
    session.restore({ prompt: 'a crab', model: modelTitle }, 'a file');
    expect(session.replaced.value?.words).toBe('Settings restored from a file.');
  });

  test('what was never changed follows the defaults of later versions', () => {
    createSession(engine).edit('steps', '9');
    const stored = JSON.parse(localStorage.getItem('flipbook:settings') ?? '');
    expect(stored).toEqual({ steps: '9', seedLocked: false });
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
  ['', 1, 'motion', String(usualMotion + 0.25)],
  ['4', 1, 'motion', '4'],
] as const)('%s stepped by %d in %s is %s', (text, by, field, expected) => {
  expect(stepped(text, by, field)).toBe(expected);
  expect(Number(expected)).toBeLessThanOrEqual(limits[field].max);
});
