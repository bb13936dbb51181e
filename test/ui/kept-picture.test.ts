// The start picture in what lasts: storage, links and files. What is done with it is start-picture.test.ts's.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { decodeLink } from '../../src/options';
import { createSession, type Session } from '../../src/ui/session';
import { type FakeEngine, fakeEngine } from './fake-engine';
import { each, file, good, pixels, sha256, stubCanvas } from './pictures';
import { emptyStore, make, storage, visit } from './visit';

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

test('one that a link names is still named where it is missing: by another link, after an edit, a reload and an undo', async () => {
  const session = createSession(engine, { hash: `#prompt=&seed=9&picture=${sha256}` });
  const named = (link: string | undefined) => decodeLink(new URL(link ?? '').hash).picture;
  expect(named(session.link())).toBe(sha256); // Right with it, though not without.
  session.edit('prompt', 'a crab');
  session.edit('redraw', 'all');
  expect(named(session.link())).toBe(sha256);
  const reloaded = createSession(fakeEngine(), good);
  expect([reloaded.start.missing.value, reloaded.form.redraw.value]).toEqual([sha256, 'all']);
  const { hash } = new URL(reloaded.link() ?? '');
  expect(createSession(fakeEngine(), { hash }).start.missing.value).toBe(sha256);
  const other = createSession(fakeEngine(), { hash: '#prompt=a+boat' });
  expect(other.start.missing.value).toBe('');
  other.replaced.value?.takeBack();
  expect(other.start.missing.value).toBe(sha256);
  await reloaded.start.use(file('cat.png'));
  expect(createSession(fakeEngine()).start).toMatchObject({ missing: { value: '' }, picture: { value: { sha256 } } });
  reloaded.removePicture();
  expect(createSession(fakeEngine()).start.missing.value).toBe('');
});

test.each<[string, (session: Session) => unknown]>([
  ['here', ({ start }) => start.use(file('cat.png'))],
  ['missing', ({ start }) => start.want(sha256)],
])('one that is %s is so after the undo of a link that names the same one', async (_where, give) => {
  const shown = ({ form, start }: Session) => [form.prompt.value, start.picture.value?.name, start.missing.value];
  const session = createSession(engine, good);
  session.edit('prompt', 'a ghost');
  await give(session);
  const linked = createSession(fakeEngine(), { hash: `#prompt=a+crab&picture=${sha256}` });
  expect(shown(linked)).toEqual(['a crab', ...shown(session).slice(1)]);
  linked.replaced.value?.takeBack();
  expect(shown(linked)).toEqual(shown(session));
  expect(shown(createSession(fakeEngine()))).toEqual(shown(session));
});

test('a link that would be wrong with the missing picture goes without it', () => {
  const session = createSession(engine, { hash: `#prompt=a+crab&frames=4&picture=${sha256}` });
  expect(session.errors.value).toEqual({});
  expect(decodeLink(new URL(session.link() ?? '').hash)).toMatchObject({ frames: '4' });
  expect(session.link()).not.toContain('picture');
});

test('a link that was copied here with a missing picture locks no seed after a reload', () => {
  const session = createSession(engine, { hash: `#prompt=a+crab&picture=${sha256}` });
  session.edit('steps', '9');
  session.seedLocked.value = false;
  const { hash } = new URL(session.link() ?? '');
  expect(createSession(fakeEngine(), { hash }).seedLocked.value).toBe(false);
});

test('a link that differs from the form by its picture alone is no copy of it, and locks its seed', () => {
  const session = createSession(engine);
  session.edit('prompt', 'a crab');
  const { hash } = new URL(session.link() ?? '');
  const isLocked = (link: string) => createSession(fakeEngine(), { hash: link }).seedLocked.value;
  expect([isLocked(hash), isLocked(`${hash}&picture=${sha256}`)]).toEqual([false, true]);
});

test('the file of one that was made here is kept, with its clip and after a reload; that of another is the visitor’s', async () => {
  stubCanvas();
  const session = createSession(engine, { ...each, clipStore: emptyStore });
  const kept = () => new TextDecoder().decode(session.start.picture.value?.file);
  await session.usePicture(file('cat.png'));
  expect(kept()).toBe('');
  await make(engine, session);
  await session.keepPicture();
  expect(kept()).toBe('png');
  await session.startFromSketch(new File(['strokes'], 'Drawing', { type: 'image/png' }));
  expect(kept()).toBe('strokes');
  const { file: found } = createSession(fakeEngine()).start.picture.value!;
  expect(new TextDecoder().decode(found)).toBe('strokes');
  await make(engine, session);
  expect(session.clip.value?.picture?.file).toBe(session.start.picture.value?.file);
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

test('a new tab begins with the settings and the picture of one and the same tab', async () => {
  const tab = () => vi.stubGlobal('sessionStorage', storage());
  tab();
  await createSession(engine, good).start.use(file('cat.png'));
  tab();
  const other = createSession(fakeEngine());
  other.removePicture();
  const first = createSession(engine, good);
  await first.start.use(file('cat.png'));
  other.edit('prompt', 'a crab');
  tab();
  const { form, start } = createSession(fakeEngine());
  expect([form.prompt.value, start.picture.value]).toEqual(['a crab', undefined]);
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
