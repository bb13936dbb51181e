// The seed on a fake engine: when it stays, and when it rolls, also after a reload, in another tab and by a link.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { defaults } from '../../src/options';
import { createSession, type Session } from '../../src/ui/session';
import { type FakeEngine, fakeEngine } from './fake-engine';
import { make, storage, visit } from './visit';

let engine: FakeEngine;
beforeEach(() => {
  engine = visit();
});
afterEach(() => vi.unstubAllGlobals());

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

test('an unlocked seed that was used rolls, however it was typed', async () => {
  const session = createSession(engine);
  session.edit('seed', ' 007');
  await make(engine, session);
  session.seedLocked.value = false;
  await make(engine, session);
  const [first, second] = engine.asked;
  expect(first?.seed).toBe(7);
  expect(second?.seed).not.toBe(7);
});

test.each([
  ['crashed', () => undefined, true],
  ['was left after Cancel', (session: Session) => session.cancel(), false],
])('a page that %s midway: whether it draws that clip next', async (_what, end, isDrawn) => {
  await make(engine, createSession(engine));
  const session = createSession(engine);
  const run = session.generate();
  const { seed } = engine.asked[1]!;
  end(session);
  if (!isDrawn) await run;
  const next = fakeEngine();
  await make(next, createSession(next));
  expect(next.asked[0]?.seed === seed).toBe(isDrawn);
});

test('a link that was copied here locks no seed after a reload: its clip is drawn once, then others', async () => {
  const session = createSession(engine);
  session.edit('prompt', 'a ghost ');
  await make(engine, session);
  const reloaded = createSession(engine, { hash: new URL(session.link()!).hash });
  expect(reloaded.seedLocked.value).toBe(false);
  await make(engine, reloaded);
  await make(engine, reloaded);
  const [first, again, next] = engine.asked;
  expect(again).toEqual(first);
  expect(next?.seed).not.toBe(first?.seed);
  session.seedLocked.value = true;
  expect(createSession(engine, { hash: new URL(session.link()!).hash }).seedLocked.value).toBe(true);
});

test('another link locks its seed, be it that of the form', () => {
  const { hash } = new URL(createSession(engine).link()!);
  createSession(engine).edit('prompt', 'a ghost');
  expect(createSession(engine, { hash }).seedLocked.value).toBe(true);
});

test('an unlocked seed that was used rolls after a reload, too', async () => {
  const session = createSession(engine);
  await make(engine, session);
  const { seed } = engine.asked[0]!;
  const next = fakeEngine();
  const reloaded = createSession(next);
  expect(reloaded.form.seed.value).toBe(String(seed));
  await make(next, reloaded);
  expect(next.asked[0]?.seed).not.toBe(seed);
});

test('in a new tab, too, though what a tab keeps is its own', async () => {
  vi.stubGlobal('sessionStorage', storage());
  await make(engine, createSession(engine));
  vi.stubGlobal('sessionStorage', storage());
  const next = fakeEngine();
  await make(next, createSession(next));
  expect(next.asked[0]?.seed).not.toBe(engine.asked[0]?.seed);
});

test('in a new tab that is reloaded before its first clip, too; but not where it was lost', async () => {
  vi.stubGlobal('sessionStorage', storage());
  await make(engine, createSession(engine));
  const first = sessionStorage;
  vi.stubGlobal('sessionStorage', storage());
  createSession(fakeEngine());
  const next = fakeEngine();
  const reloaded = createSession(next);
  const { seed } = engine.asked[0]!;
  expect(reloaded.form.seed.value).toBe(String(seed));
  await make(next, reloaded);
  expect(next.asked[0]?.seed).not.toBe(seed);
  // What this tab has of its own counts, be it that the seed may be used again.
  vi.stubGlobal('sessionStorage', first);
  sessionStorage.setItem('flipbook:used-seed', '{}');
  localStorage.setItem('flipbook:used-seed', `{"seed":"${seed}"}`);
  const again = fakeEngine();
  await make(again, createSession(again));
  expect(again.asked[0]?.seed).toBe(seed);
});
