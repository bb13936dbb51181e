// The page's state on a fake engine: what a visitor does, what the engine is asked for, what is kept.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import { defaults } from '../../src/options';
import type { ClipStore, StoredClip } from '../../src/ui/clip-store';
import { work } from '../../src/ui/estimate';
import { createSession } from '../../src/ui/session';
import { type FakeEngine, fakeEngine } from './fake-engine';
import { done, emptyStore, make, visit } from './visit';

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

  test('a clip without a video says why, and is not said to be kept', async () => {
    const session = createSession(engine, { clipStore: emptyStore });
    await make(engine, session, null);
    expect(session.clip.value?.address).toBeNull();
    expect(session.failure.value?.code).toBe('encoder');
    expect(session.announcement.value).toMatch(/is finished: .*\. No MP4 this time\. /);
    await make(engine, session);
    expect(session.earlier.areKept.value).toBe(false);
  });
});

describe('a clip whose video the encoder did not finish', () => {
  const problem = { message: 'The video encoder stopped: taken away', hint: 'Press Download MP4 to try again.' };

  test('says so with what to do; asked for, its video is made once more, stored, and nothing is wrong any longer', async () => {
    const kept: StoredClip[] = [];
    const keep: ClipStore['keep'] = async (clip) => String(kept.push(clip));
    const session = createSession(engine, { clipStore: { ...emptyStore, keep } });
    session.edit('prompt', 'a rocket');
    await make(engine, session, null, problem);
    expect(session.failure.value).toMatchObject({ code: 'encoder', hint: problem.hint });
    expect(session.failure.value?.message).toContain(problem.message);
    expect(session.announcement.value).toContain(problem.hint);
    expect(kept).toEqual([]);
    const recorded = session.recorded();
    expect(session.progress.value?.words).toBe(`Inking the pages once more: 1 of ${defaults.frames}`);
    const askedAgain = session.recorded();
    engine.end();
    const clip = await recorded;
    expect(await askedAgain).toBe(clip);
    expect(engine.log.filter((line) => line === 'record')).toHaveLength(1);
    expect(clip).toBe(session.clip.value);
    expect(await (await fetch(clip!.address!)).text()).toBe('again');
    expect(kept).toMatchObject([{ title: 'a rocket', video: clip?.video }]);
    expect(session.failure.value).toBeUndefined();
    expect(session.announcement.value).toBe('The MP4 is ready.');
  });

  test('stays as it was where that fails again, which is told, or is cancelled', async () => {
    const session = createSession(engine, { clipStore: emptyStore });
    await make(engine, session, null, problem);
    const before = session.clip.value;
    const again = { message: 'The video encoder stopped: once more', hint: 'Press it.' };
    vi.spyOn(engine, 'record').mockResolvedValueOnce({ video: null, codec: null, problem: again });
    expect(await session.recorded()).toBe(before);
    expect(session.failure.value).toMatchObject({ code: 'encoder', hint: again.hint, ofRun: false });
    expect(session.failure.value?.message).toMatch(/: once more\. The clip plays here until .*; it is not stored\.$/);
    const cancelled = session.recorded();
    session.cancel();
    expect(await cancelled).toBeUndefined();
    expect(session.clip.value).toBe(before);
    expect(session.failure.value?.code).toBe('encoder');
    expect(session.progress.value).toBeUndefined();
  });

  test('is not recorded beside the next one', async () => {
    const session = createSession(engine, { clipStore: emptyStore });
    await make(engine, session, null, problem);
    const run = session.generate();
    expect(await session.recorded()).toBe(session.clip.value);
    expect(engine.log).not.toContain('record');
    engine.end();
    await run;
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
    expect(session.progress.value).toMatchObject({ part: 'again', fraction: 1 / defaults.frames });
    const askedAgain = session.recorded();
    expect(session.announcement.value).toBe('Inking the pages on this paper.');
    engine.end();
    const clip = await recorded;
    expect(session.announcement.value).toBe('The MP4 on this paper is ready.');
    expect(clip).toBe(session.clip.value);
    expect(await askedAgain).toBe(clip);
    expect(session.note.value).toBe('');
    expect(clip?.options).toEqual({ ...defaults, background: night });
    expect(await (await fetch(clip!.address!)).text()).toBe('again');
    expect(await session.recorded()).toBe(clip);
    expect(engine.log.filter((line) => line === 'record')).toHaveLength(1);
    expect(session.progress.value).toBeUndefined();
    engine.ink(2); // News that was overtaken by the answer.
    expect(session.progress.value).toBeUndefined();
    await make(engine, session);
    expect(session.earlier.clips.value[0]?.settings.background).toBe(night);
  });

  test('the file on the paper before stays for a download that is under way', async () => {
    const session = await onNight();
    const before = session.clip.value!.address!;
    vi.useFakeTimers();
    try {
      const recorded = session.recorded();
      engine.end();
      await recorded;
      await vi.advanceTimersByTimeAsync(30_000);
      expect(await (await fetch(before)).text()).toBe('first');
      await vi.advanceTimersByTimeAsync(60_000);
      await expect(fetch(before)).rejects.toThrow();
    } finally {
      vi.useRealTimers();
    }
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
    expect(session.announcement.value).toMatch(/^The graphics device went away/);
    expect(await (await fetch(before!.address!)).text()).toBe('first');
  });

  test('where the encoder fails, the MP4 on the paper before is said to be there, as it is', async () => {
    const session = await onNight();
    const before = session.clip.value;
    const problem = { message: 'It stopped.', hint: 'Press it.' };
    vi.spyOn(engine, 'record').mockResolvedValueOnce({ video: null, codec: null, problem });
    expect(await session.recorded()).toBe(before);
    expect(session.failure.value?.message).toBe('It stopped. The MP4 on the paper before is still there.');
  });

  test.each([
    ['', ''],
    ['Link copied.', 'Link copied.'],
  ])('while the next clip is made the last one is given as it is; that is not said of the next', async (told, left) => {
    const session = await onNight();
    const before = session.clip.value;
    const run = session.generate();
    expect(await session.recorded()).toBe(before);
    expect(session.note.value).toBe('This MP4 is on the paper that it was made on.');
    if (told) session.tell(told);
    engine.send(done(defaults, new Blob(['mp4'])));
    expect(session.note.value).toBe(left);
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

test('the pace of this adapter is that of the work alone, and is stored beside those of others', async () => {
  localStorage.setItem('flipbook:pace', '{"Late chip":0.5}');
  const session = createSession(engine);
  await session.attach(Object.create(null));
  engine.open({ name: 'Test adapter', isSoftware: true });
  expect(session.estimate.value).toBeUndefined();
  await make(engine, session); // 12 seconds, one of them for the model and one for the programs
  expect(session.estimate.value).toBeCloseTo(10);
  const stored = JSON.parse(localStorage.getItem('flipbook:pace') ?? '');
  expect(stored).toEqual({ 'Late chip': 0.5, 'Test adapter': expect.closeTo(10 / work(defaults), 10) });
});

test('the model is known to be loaded once programs are compiled, though the clip is cancelled', async () => {
  const session = createSession(engine);
  const run = session.generate();
  engine.send({ type: 'load', loaded: 9, total: 9 });
  expect(session.isModelLoaded.value).toBe(false);
  engine.send({ type: 'compile', done: 0, total: 9 });
  session.cancel();
  await run;
  expect(session.isModelLoaded.value).toBe(true);
});

test('a failure is announced in the words of its notice', async () => {
  const session = createSession(engine);
  session.report(new FlipbookError('no-webgpu', 'navigator.gpu is missing'));
  expect(session.announcement.value).toMatch(/^This browser has no WebGPU\. Flipbook draws on your own graphics chip/);
  expect(session.announcement.value).not.toContain('navigator');
});
