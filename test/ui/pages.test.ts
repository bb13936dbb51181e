// The finished clip's pages on a fake engine: which one the page says is shown, and what the next clip can start from.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { defaults, frameSide } from '../../src/options';
import { createSession, type Session } from '../../src/ui/session';
import type { FakeEngine } from './fake-engine';
import { each, stubCanvas } from './pictures';
import { emptyStore, make, visit } from './visit';

let engine: FakeEngine;
beforeEach(() => {
  engine = visit();
});
afterEach(() => vi.unstubAllGlobals());

const open = (options = {}) => createSession(engine, { clipStore: emptyStore, ...options });
/** Until the engine has answered. */
const shows = (session: Session, page: number | undefined) => vi.waitFor(() => expect(session.page.value).toBe(page));
const turns = () => engine.log.filter((line) => line.startsWith('turn'));

test('one that is paused says its page, and so does every turn, aloud too; one that moves says none', async () => {
  const session = open();
  await make(engine, session);
  expect(session.page.value).toBeUndefined();
  session.setPlaying(false);
  await shows(session, 0);
  expect(session.announcement.value).toBe(`Page 1 of ${defaults.frames}.`);
  expect(session.turn(-1)).toBe(true);
  await shows(session, defaults.frames - 1);
  expect(session.announcement.value).toBe(`Page ${defaults.frames} of ${defaults.frames}.`);
  session.setPlaying(true);
  expect(session.page.value).toBeUndefined();
  session.turn(3);
  await shows(session, 2);
  expect(session.playing.value).toBe(false);
});

test('nothing is turned before there is a clip, while one is made, nor where its frames are lost', async () => {
  const session = open();
  await session.attach(Object.create(null));
  session.setPlaying(false);
  expect(session.turn(1)).toBe(false);
  await make(engine, session);
  session.turn(1);
  await shows(session, 1);
  const run = session.generate();
  expect(session.turn(1)).toBe(false);
  engine.end();
  await run;
  expect(session.page.value).toBe(1); // It is shown again.
  engine.open(undefined);
  expect([session.turn(1), session.page.value]).toEqual([false, undefined]);
  session.setPlaying(true);
  session.setPlaying(false);
  expect(turns()).toEqual(['turn 1']);
  expect(session.failure.value).toBeUndefined();
});

test('a clip that is finished while nothing moves rests on its first page, whatever is answered late', async () => {
  const session = open({ reducedMotion: true });
  await make(engine, session);
  expect(session.page.value).toBe(0);
  let answer = (_page: number): void => undefined;
  vi.spyOn(engine, 'turn').mockReturnValueOnce(
    new Promise((resolve) => {
      answer = resolve;
    }),
  );
  session.turn(5);
  await make(engine, session);
  answer(5);
  await new Promise((resolve) => setTimeout(resolve));
  expect(session.page.value).toBe(0);
});

test('what is paused while the next clip is made is not announced', async () => {
  const session = open();
  await make(engine, session);
  const run = session.generate();
  const before = session.announcement.value;
  session.setPlaying(false);
  await shows(session, 0);
  expect(session.announcement.value).toBe(before);
  engine.end();
  await run;
});

test('a page that cannot be shown is told', async () => {
  const session = open();
  await make(engine, session);
  vi.spyOn(engine, 'turn').mockRejectedValueOnce({ code: 'stopped', message: 'out of memory', hint: '' });
  session.turn(1);
  await vi.waitFor(() => expect(session.failure.value?.code).toBe('stopped'));
});

test.each([
  [undefined, 0, 'First page of “a rocket”', /^Its first page is the start picture now/],
  [-1, 35, 'Page 36 of “a rocket”', /^Its page 36 is the start picture now/],
])('turned by %s, the next clip can start from the page that is shown', async (by, index, name, words) => {
  stubCanvas();
  const session = open(each);
  session.edit('prompt', 'a rocket');
  await make(engine, session);
  if (by) {
    session.turn(by);
    await shows(session, index);
  }
  await session.keepPicture();
  expect(engine.log).toContain(`pixels ${index} ${frameSide}`);
  expect(session.start.picture.value?.name).toBe(name);
  expect(session.replaced.value?.words).toMatch(words);
});
