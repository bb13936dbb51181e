// The start picture in what lasts: storage, links and files. What is done with it is start-picture.test.ts's.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSession } from '../../src/ui/session';
import { type FakeEngine, fakeEngine } from './fake-engine';
import { file, good, pixels, sha256 } from './pictures';
import { storage, visit } from './visit';

let engine: FakeEngine;
beforeEach(() => {
  engine = visit();
});
afterEach(() => vi.unstubAllGlobals());

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

test('is stored with the settings that it goes with', async () => {
  await createSession(engine, good).start.use(file('cat.png'));
  const linked = createSession(fakeEngine(), { hash: '#prompt=a+crab' });
  expect(createSession(fakeEngine()).start.picture.value?.name).toBe('cat.png');
  linked.edit('steps', '3');
  expect(createSession(fakeEngine()).start.picture.value).toBeUndefined();
  linked.replaced.value?.takeBack();
  expect(createSession(fakeEngine()).start.picture.value?.name).toBe('cat.png');
});

test('a new tab keeps the picture that it began with', async () => {
  await createSession(engine, good).start.use(file('cat.png'));
  vi.stubGlobal('sessionStorage', storage());
  createSession(fakeEngine());
  expect(createSession(fakeEngine()).start.picture.value?.name).toBe('cat.png');
});

test('a link or a file without one is about words alone', async () => {
  const session = createSession(engine, good);
  await session.start.use(file('cat.png'));
  expect(createSession(fakeEngine(), { hash: '#prompt=a+crab' }).start.picture.value).toBeUndefined();
  session.restore({ prompt: 'a crab' }, 'a file');
  expect(session.start.picture.value).toBeUndefined();
  expect(session.replaced.value?.words).toMatch(/yours is removed/);
  session.restore({ prompt: '', picture: sha256 }, 'a file');
  expect(session.replaced.value?.words).toMatch(/picture that it started from is not in it/);
});
