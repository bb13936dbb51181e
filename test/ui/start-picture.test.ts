// The start picture and its redrawn part: what the engine is given, what is told, and what a reload or a link brings back.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import type { StartPicture } from '../../src/media/picture';
import { defaults, frameSide } from '../../src/options';
import type { EarlierClip } from '../../src/ui/earlier';
import { receiveFiles } from '../../src/ui/files';
import { createSession, type Session } from '../../src/ui/session';
import type { FakeEngine } from './fake-engine';
import { each, file, good, pixels, reader, sha256, stubCanvas } from './pictures';
import { make, visit } from './visit';

let engine: FakeEngine;
beforeEach(() => {
  engine = visit();
});
afterEach(() => vi.unstubAllGlobals());

test('goes to the engine with its name in the options; the prompt may be empty', async () => {
  const session = createSession(engine, good);
  session.edit('prompt', '');
  await session.start.use(file('cat.png'));
  await make(engine, session);
  expect(engine.asked).toEqual([{ ...defaults, prompt: '', picture: sha256 }]);
  expect(engine.pictures).toEqual([pixels]);
  expect(session.clip.value?.title).toBe('cat.png');
  session.start.remove();
  expect(await session.generate()).toBe('prompt');
});

test('a part of it is redrawn while it is there; its box waits where it is not', async () => {
  const session = createSession(engine, good);
  session.edit('redraw', '4,4,8,8');
  await make(engine, session);
  await session.start.use(file('cat.png'));
  await make(engine, session);
  expect(engine.asked.map(({ picture, redraw }) => [picture, redraw])).toEqual([
    [undefined, undefined],
    [sha256, '4,4,8,8'],
  ]);
  session.edit('redraw', 'the nose');
  expect(await session.generate()).toBe('redraw');
  session.start.remove();
  expect(session.errors.value).toEqual({});
});

test('one that settings from elsewhere took away can be put back', async () => {
  const session = createSession(engine, good);
  await session.start.use(file('cat.png'));
  session.restore({ prompt: 'a crab' }, 'a file');
  expect(session.start.picture.value).toBeUndefined();
  session.replaced.value?.takeBack();
  expect(session.start.picture.value?.name).toBe('cat.png');
  expect(session.start.missing.value).toBe('');
});

test('one that another, or nothing, took the place of can be put back', async () => {
  const pictures = ['cat.png', 'dog.png', 'Drawing'].map((name, i) => ({ name, sha256: `${i}a`.repeat(32), pixels }));
  let given = 0;
  const session = createSession(
    engine,
    reader(() => pictures[given++]!),
  );
  const name = () => session.start.picture.value?.name;
  await session.usePicture(file('cat.png'));
  expect(session.replaced.value).toBeUndefined();
  await session.usePicture(file('dog.png'));
  expect(session.replaced.value?.words).toBe('“dog.png” is the start picture now.');
  session.replaced.value?.takeBack();
  expect(name()).toBe('cat.png');
  await session.startFromSketch(file('Drawing'));
  expect(session.start.missing.value).toBe(''); // no settings ever asked for cat.png
  expect([name(), session.form.redraw.value]).toEqual(['Drawing', 'all']);
  session.replaced.value?.takeBack();
  expect([name(), session.form.redraw.value]).toEqual(['cat.png', '']);
  session.removePicture();
  expect(name()).toBeUndefined();
  session.replaced.value?.takeBack();
  expect(name()).toBe('cat.png');
});

test('that one was removed stays true beside another, and so does the way back to it', async () => {
  const session = createSession(engine, each);
  await session.startFromSketch(file('Drawing'));
  session.removePicture();
  await session.usePicture(file('cat.png'));
  expect(session.replaced.value?.words).toBe('“Drawing” was removed.');
  session.replaced.value?.takeBack();
  expect([session.start.picture.value?.name, session.form.redraw.value]).toEqual(['Drawing', 'all']);
});

test('one that a link names is still missed once an idea was taken back', () => {
  const session = createSession(engine, { hash: `#prompt=a+crab&picture=${sha256}`, ...good });
  session.suggest('a ghost');
  session.replaced.value?.takeBack();
  expect(session.start.missing.value).toBe(sha256);
});

test('settings whose picture is missing say so: where the prompt needs it, and of the clip that is made without it', async () => {
  const session = createSession(engine, { ...good, hash: `#prompt=&picture=${'0f'.repeat(32)}` });
  expect(await session.generate()).toBe('prompt');
  expect(session.errors.value.prompt).toMatch(/^These settings start from a picture that is not here/);
  session.edit('prompt', '> dog');
  expect(session.errors.value.prompt).toMatch(/^These settings/);
  session.edit('prompt', 'a > >');
  expect(session.errors.value.prompt).toMatch(/says nothing for scene 2/); // With the picture, too.
  session.edit('prompt', 'a dog');
  expect(session.errors.value).toEqual({});
  await make(engine, session);
  expect(engine.asked[0]?.picture).toBeUndefined();
  expect(session.note.value).toMatch(/^Drawn without the picture/);
  session.edit('prompt', 'a 猫');
  const run = session.generate();
  engine.send({ type: 'unread', unknown: ['猫'], cut: [] });
  expect(session.note.value).toMatch(/^Drawn without the picture .*\. This model reads English words, .*“猫”\.$/);
  engine.end();
  await run;
});

test.each<[string, (session: Session) => void | Promise<void>, RegExp]>([
  ['nothing', (session) => session.removePicture(), /^The picture that the settings named was left out/],
  ['a drawing', (session) => session.startFromSketch(file('Drawing')), /“Drawing” is the start picture now/],
  ['another picture', (session) => session.usePicture(file('a.png')), /not the one that these settings name/],
  ['a first page', (session) => session.keepPicture(), /first page is the start picture now/],
])(
  'one that a link names is missed until there is %s in its place, and again once that is taken back',
  async (_what, act, words) => {
    stubCanvas();
    const session = createSession(engine, { ...each, hash: `#prompt=a+crab&picture=${sha256}` });
    await make(engine, session);
    expect(session.note.value).toMatch(/^Drawn without the picture/);
    await act(session);
    expect([session.start.missing.value, session.replaced.value?.words]).toEqual(['', expect.stringMatching(words)]);
    expect(session.borrowed.value).toBe(false); // It is not the link's clip any more.
    const { takeBack } = session.replaced.value!;
    await make(engine, session);
    expect(session.note.value).toBe('');
    takeBack();
    expect([session.start.missing.value, session.start.picture.value]).toEqual([sha256, undefined]);
  },
);

test('a box that was emptied is a mistake; none at all is the whole frame', async () => {
  const session = createSession(engine, good);
  await session.start.use(file('cat.png'));
  session.edit('redraw', ' ');
  expect(await session.generate()).toBe('redraw');
  session.edit('redraw', '');
  expect(session.errors.value).toEqual({});
});

test('an earlier clip of this visit brings its start picture back with its settings', async () => {
  const session = createSession(engine, good);
  await session.startFromSketch(file('Drawing'));
  await make(engine, session);
  session.start.remove();
  await make(engine, session);
  const [{ settings, picture }] = session.earlier.clips.value as [EarlierClip];
  session.restore(settings, 'the earlier clip', picture);
  expect(session.start.picture.value?.pixels).toBe(pixels);
  expect(session.form.redraw.value).toBe('all');
  session.restore({ ...settings, picture: 'cd'.repeat(32) }, 'a file', picture);
  expect(session.start.picture.value).toBeUndefined();
  expect(session.start.missing.value).toBe('cd'.repeat(32));
});

test('a drawing is used as a sketch; one that shows nothing is not used', async () => {
  const session = createSession(engine, good);
  await session.startFromSketch(file('Drawing'));
  await make(engine, session);
  expect(engine.asked[0]).toMatchObject({ picture: sha256, redraw: 'all' });
  session.edit('redraw', '');
  const broken = reader(() => {
    throw new FlipbookError('input', 'It shows nothing.');
  });
  const other = createSession(engine, broken);
  await other.startFromSketch(file('Drawing'));
  expect(other.form.redraw.value).toBe('');
});

test('a picture that is given after a sketch is none, unless it is chosen to be, or the same', async () => {
  const session = createSession(engine, each);
  const shown = () => [session.start.picture.value?.name, session.form.redraw.value];
  await session.startFromSketch(file('Drawing'));
  await session.usePicture(file('cat.png'));
  expect(shown()).toEqual(['cat.png', '']);
  session.replaced.value?.takeBack();
  expect(shown()).toEqual(['Drawing', 'all']);
  session.removePicture();
  await session.usePicture(file('cat.png'));
  expect(shown()).toEqual(['cat.png', '']);
  session.edit('redraw', 'all');
  await session.usePicture(file('cat.png'));
  expect(shown()).toEqual(['cat.png', 'all']);
  session.edit('redraw', '4,4,8,8');
  await session.usePicture(file('dog.png'));
  expect(shown()).toEqual(['dog.png', '4,4,8,8']);
});

test('the missing picture of settings that start from a sketch is that sketch', async () => {
  const session = createSession(engine, good);
  session.restore({ prompt: 'a crab', redraw: 'all', picture: sha256 }, 'a file');
  await session.usePicture(file('cat.png'));
  expect([session.start.missing.value, session.form.redraw.value]).toEqual(['', 'all']);
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

test.each<[string, (session: Session) => void, string | undefined]>([
  ['none', (session) => session.start.remove(), undefined],
  ['that of a link', (session) => session.openLink('#prompt=a+crab'), undefined],
  [
    'an earlier clip’s',
    (session) => session.restore({ picture: sha256 }, 'it', { name: 'its', sha256, pixels }),
    'its',
  ],
  ['the one before', (session) => session.replaced.value?.takeBack(), 'cat.png'],
])(
  'a file that is still being read does not take the place of what was asked for meanwhile: %s',
  async (_what, act, left) => {
    const answers: ((picture: StartPicture) => void)[] = [];
    const session = createSession(
      engine,
      reader(() => new Promise((resolve) => void answers.push(resolve))),
    );
    const first = session.usePicture(file('cat.png'));
    answers[0]?.({ name: 'cat.png', sha256, pixels });
    await first;
    session.suggest('a rocket');
    const late = session.usePicture(file('late.png'));
    act(session);
    answers[1]?.({ name: 'late.png', sha256: 'cd'.repeat(32), pixels });
    await late;
    expect(session.start.picture.value?.name).toBe(left);
  },
);

test('the first page of a clip takes the place of the picture and its box, until that is taken back', async () => {
  stubCanvas();
  const session = createSession(engine, each);
  const shown = () => [session.start.picture.value?.name, session.form.redraw.value];
  session.edit('prompt', 'a rocket');
  await session.usePicture(file('cat.png'));
  session.edit('redraw', '4,4,8,8');
  await make(engine, session);
  await session.keepPicture();
  expect(engine.log).toContain(`pixels 0 ${frameSide}`);
  expect(shown()).toEqual(['First page of “a rocket”', '']);
  session.replaced.value?.takeBack();
  expect(shown()).toEqual(['cat.png', '4,4,8,8']);
});

test('why something was not taken is said at the control, until settings come from elsewhere or a clip is made', async () => {
  const session = createSession(engine, good);
  await receiveFiles(session, [file('a.png'), file('b.png')], true);
  expect([session.start.problem.value, session.note.value]).toEqual([expect.stringMatching(/^2 files at once/), '']);
  session.restore({ prompt: 'a crab' }, 'a file');
  expect(session.start.problem.value).toBe('');
  await receiveFiles(session, [file('a.png'), file('b.png')], true);
  await make(engine, session);
  expect(session.start.problem.value).toBe('');
  await receiveFiles(session, [file('a.png'), file('b.png')]);
  expect([session.start.problem.value, session.note.value]).toEqual(['', expect.stringMatching(/^2 files at once/)]);
});
