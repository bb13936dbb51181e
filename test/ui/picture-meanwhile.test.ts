// A clip that is asked for while its start picture is still being read: which picture it gets, or why it is not made.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import type { StartPicture } from '../../src/media/picture';
import { createSession, type Session } from '../../src/ui/session';
import type { FakeEngine } from './fake-engine';
import { file, good, pixels, reader, sha256 } from './pictures';
import { make, visit } from './visit';

let engine: FakeEngine;
beforeEach(() => {
  engine = visit();
});
afterEach(() => vi.unstubAllGlobals());

/** A page on which pictures are read when `answer` says so. */
function reading() {
  let resolveLast: (picture: StartPicture) => void = () => undefined;
  const session = createSession(
    engine,
    reader(
      () =>
        new Promise((resolve) => {
          resolveLast = resolve;
        }),
    ),
  );
  return { session, answer: (picture: StartPicture) => resolveLast(picture) };
}

test('one that is still being read belongs to the clip that is asked for meanwhile, once', async () => {
  const { session, answer } = reading();
  const given = session.usePicture(file('cat.png'));
  const runs = [session.generate(), session.generate()];
  expect(engine.asked).toHaveLength(0);
  answer({ name: 'cat.png', sha256, pixels });
  await given;
  await vi.waitFor(() => expect(engine.pictures).toEqual([pixels]));
  engine.end();
  await Promise.all(runs);
  expect(engine.asked).toHaveLength(1);
});

test('of two that are given one after the other the clip that is asked for meanwhile starts from the last one', async () => {
  const answers: ((picture: StartPicture) => void)[] = [];
  const session = createSession(
    engine,
    reader(() => new Promise((resolve) => void answers.push(resolve))),
  );
  void session.usePicture(file('1'));
  const run = session.generate();
  void session.usePicture(file('2'));
  answers[0]?.({ name: '1', sha256: 'cd'.repeat(32), pixels });
  await new Promise((resolve) => setTimeout(resolve));
  expect(engine.asked).toEqual([]);
  answers[1]?.({ name: '2', sha256, pixels });
  await vi.waitFor(() => expect(engine.asked).toHaveLength(1));
  expect(engine.asked[0]?.picture).toBe(sha256);
  engine.end();
  await run;
});

test('a drawing that is still being read is a sketch of the clip that is asked for meanwhile', async () => {
  const session = createSession(engine, good);
  void session.startFromSketch(file('Drawing'));
  const run = session.generate();
  await vi.waitFor(() => expect(engine.asked).toHaveLength(1));
  expect(engine.asked[0]).toMatchObject({ picture: sha256, redraw: 'all' });
  engine.end();
  await run;
});

test.each<[string, (session: Session) => void]>([
  ['is removed', (session) => session.removePicture()],
  ['makes way for a link', (session) => session.openLink('#prompt=a+crab')],
])('one that %s while it is being read keeps the clip from being made, which is told', async (_what, act) => {
  const { session, answer } = reading();
  void session.usePicture(file('cat.png'));
  const run = session.generate();
  act(session);
  answer({ name: 'cat.png', sha256, pixels });
  await run;
  expect(engine.asked).toEqual([]);
  expect(session.note.value).toBe('The start picture changed meanwhile: press Generate once more.');
});

test('a first page that cannot be read keeps the clip that was asked for meanwhile from being made without it', async () => {
  const session = createSession(engine, good);
  await make(engine, session);
  engine.pixels = () => Promise.reject(new FlipbookError('out-of-memory', 'There is no room.'));
  void session.keepPicture();
  await session.generate();
  expect(engine.asked).toHaveLength(1);
  expect(session.failure.value?.code).toBe('out-of-memory');
});

test('a file that turns out to be no picture keeps the clip that was asked for meanwhile from being made without it', async () => {
  const broken = reader(() => {
    throw new FlipbookError('input', 'It shows nothing.');
  });
  const session = createSession(engine, broken);
  void session.usePicture(file('broken.png'));
  await session.generate();
  expect(engine.asked).toEqual([]);
  expect(session.start.problem.value).toMatch(/shows nothing/);
  expect(session.note.value).toBe('');
  await make(engine, session); // Asked once more, it is meant.
  expect(engine.asked).toHaveLength(1);
});
