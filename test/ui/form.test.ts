// The form on a fake engine: what a reload, links and files bring into it, and the way back. Its seed is seed.test.ts's.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { defaults, limits, modelTitle, usualMotion } from '../../src/options';
import { stepped } from '../../src/ui/form';
import { createSession, type Session } from '../../src/ui/session';
import { type FakeEngine, fakeEngine } from './fake-engine';
import { make, storage, visit } from './visit';

let engine: FakeEngine;
beforeEach(() => {
  engine = visit();
});
afterEach(() => vi.unstubAllGlobals());

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
    expect(open(storage()).form.prompt.value).toBe('a crab'); // the other tab only came back
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

  test('a link leaves what is stored alone until something is changed; then, too, it can be had back', async () => {
    createSession(engine).edit('prompt', 'a ghost');
    const link = { hash: '#prompt=a+crab&seed=9' };
    const mine = () => createSession(fakeEngine()).form.prompt.value;
    createSession(engine, link);
    expect(mine()).toBe('a ghost');
    await make(engine, createSession(engine, link));
    expect(mine()).toBe('a ghost');
    const changed = createSession(engine, link);
    changed.edit('steps', '9');
    expect(mine()).toBe('a crab');
    changed.replaced.value?.takeBack();
    expect([changed.form.prompt.value, mine()]).toEqual(['a ghost', 'a ghost']);

    const open = createSession(engine);
    open.openLink('#prompt=a+boat');
    expect([open.form.prompt.value, open.borrowed.value, mine()]).toEqual(['a boat', true, 'a ghost']);
    open.seedLocked.value = true;
    expect([open.borrowed.value, mine()]).toEqual([false, 'a boat']);
    const again = createSession(engine, link);
    again.edit('prompt', 'a crabby');
    again.edit('prompt', 'a crab');
    expect(mine()).toBe('a crab');
    expect(createSession(engine, link).replaced.value).toBeUndefined(); // Nothing else was there.
  });

  test.each<[string, (session: Session) => void, string, boolean]>([
    ['all that is here', () => undefined, '', false],
    ['the same prompt with other steps', ({ edit }) => edit('steps', '9'), '&steps=5', true],
    ['the same prompt with another seed, which is locked here', ({ edit }) => edit('seed', '3'), '&seed=5', true],
    ['the same prompt with another seed, which is not locked', () => undefined, '&seed=5', false],
  ])(
    'a link that says %s: one’s own settings can be had back where there were others',
    (_what, change, more, isOffered) => {
      const here = createSession(engine);
      here.edit('prompt', 'a ghost');
      change(here);
      const own = new URLSearchParams(new URL(here.link()!).hash.slice(1));
      for (const [name, value] of new URLSearchParams(more)) own.set(name, value);
      const linked = createSession(fakeEngine(), { hash: `#${own}` });
      expect(linked.replaced.value !== undefined).toBe(isOffered);
      if (!isOffered) return;
      linked.replaced.value?.takeBack();
      expect([linked.form.steps.value, linked.form.seed.value, linked.seedLocked.value]).toEqual([
        here.form.steps.value,
        here.form.seed.value,
        here.seedLocked.value,
      ]);
    },
  );

  test('with the usual prompt, too, where something else is one’s own; not where nothing of one’s own is replaced', () => {
    const offered = (hash: string) => createSession(fakeEngine(), { hash }).replaced.value?.words;
    expect(offered('#prompt=a+crab&frames=12')).toBeUndefined();
    createSession(engine).edit('frames', '8');
    expect(offered('#prompt=a+crab&frames=8')).toBeUndefined();
    expect(offered('#prompt=a+crab&frames=12')).toBe('The link’s settings are in place of yours.');
  });

  test('a link that was copied here takes the place of nothing, however it writes what was typed', () => {
    const session = createSession(engine);
    session.edit('prompt', 'a ghost ');
    session.edit('background', '#FFF');
    const { hash } = new URL(session.link()!);
    expect(createSession(fakeEngine(), { hash }).replaced.value).toBeUndefined();
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
  ['', 1, 'motion', String(0.25 * (Math.floor(usualMotion / 0.25) + 1))], // the next on its grid
  ['4', 1, 'motion', '4'],
] as const)('%s stepped by %d in %s is %s', (text, by, field, expected) => {
  expect(stepped(text, by, field)).toBe(expected);
  expect(Number(expected)).toBeLessThanOrEqual(limits[field].max);
});
