// The way back to what the visitor made: where it leads after several things took its place, and how long it lasts.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSession, type Session } from '../../src/ui/session';
import { type FakeEngine, fakeEngine } from './fake-engine';
import { each, file, pixels, sha256, stubCanvas } from './pictures';
import { make, visit } from './visit';

let engine: FakeEngine;
beforeEach(() => {
  engine = visit();
});
afterEach(() => vi.unstubAllGlobals());

const shown = ({ form, start }: Session) => [form.prompt.value, start.picture.value?.name];
/** What another visit begins with. */
const stored = () => shown(createSession(fakeEngine()));
const takeBack = (session: Session) => session.replaced.value?.takeBack();

describe('leads to what the visitor made', () => {
  const mine = ['a long and winding prompt', 'mine.png'] as const;
  async function begun() {
    const session = createSession(engine, each);
    session.edit('prompt', mine[0]);
    await session.usePicture(file(mine[1]));
    return session;
  }

  test.each<[string, (session: Session) => void, (string | undefined)[]]>([
    ['an idea, twice', (session) => session.suggest('a car'), ['a car', 'mine.png']],
    [
      'earlier clips',
      (session) => session.restore({ prompt: 'a crab', picture: sha256 }, 'it', { name: 'its', sha256, pixels }),
      ['a crab', 'its'],
    ],
    [
      'an idea, with a seed that nobody chose, and a link',
      (session) => {
        session.suggest('a car');
        session.rollSeed();
        session.openLink(`#prompt=a+boat&picture=${'0f'.repeat(32)}`);
      },
      ['a boat', undefined],
    ],
  ])('from all that took its place: %s', async (_what, act, left) => {
    const session = await begun();
    act(session);
    act(session);
    takeBack(session);
    expect(shown(session)).toEqual(mine);
    takeBack(session); // Forth again.
    expect(shown(session)).toEqual(left);
  });

  test('from a first page that was asked for twice', async () => {
    stubCanvas();
    const session = await begun();
    await make(engine, session);
    await session.keepPicture();
    await session.keepPicture();
    takeBack(session);
    expect(shown(session)).toEqual(mine);
  });

  test('be it what they made of something else: by typing, or with a picture of their own', async () => {
    const session = await begun();
    session.suggest('a car');
    session.edit('prompt', 'a red car');
    session.suggest('a rocket');
    takeBack(session);
    expect(shown(session)).toEqual(['a red car', 'mine.png']);
    session.suggest('a rocket');
    await session.usePicture(file('other.png'));
    await session.usePicture(file('third.png'));
    takeBack(session);
    expect(shown(session)).toEqual(['a rocket', 'other.png']);
  });

  test('with what was typed while a picture was being read', async () => {
    const session = await begun();
    const given = session.usePicture(file('other.png'));
    session.edit('prompt', 'a longer one');
    await given;
    takeBack(session);
    expect(shown(session)).toEqual(['a longer one', 'mine.png']);
  });
});

test('its words stay true when the prompt is edited', () => {
  const session = createSession(engine);
  session.suggest('a red heart');
  session.edit('prompt', 'a blue heart');
  expect(session.replaced.value?.words).toBe('The prompt was replaced by “a red heart”.');
});

describe('from a link', () => {
  test.each<[string, (hash: string) => Session]>([
    ['that the page was opened by', (hash) => createSession(engine, { hash })],
    [
      'that was pasted into the page',
      (hash) => {
        const session = createSession(engine);
        session.openLink(hash);
        return session;
      },
    ],
  ])('%s outlasts the clips that are made of it', async (_which, open) => {
    createSession(fakeEngine()).edit('prompt', 'a ghost');
    const session = open('#prompt=a+crab&seed=9');
    await make(engine, session);
    session.edit('prompt', 'a red crab');
    await make(engine, session);
    takeBack(session);
    expect(shown(session)).toEqual(['a ghost', undefined]);
    takeBack(session);
    await make(engine, session);
    takeBack(session);
    expect([shown(session), stored()]).toEqual([
      ['a ghost', undefined],
      ['a ghost', undefined],
    ]);
    session.suggest('a car');
    await make(engine, session);
    expect(session.replaced.value).toBeUndefined();
  });

  test('goes on after an idea that took the place of the link', async () => {
    createSession(fakeEngine()).edit('prompt', 'a ghost');
    const session = createSession(engine, { hash: '#prompt=a+crab&seed=9' });
    session.suggest('a car');
    await make(engine, session);
    takeBack(session);
    expect(shown(session)).toEqual(['a ghost', undefined]);
  });

  test('a seed that rolls from clip to clip does not make it the visitor’s own', async () => {
    const before = createSession(engine);
    before.edit('prompt', 'a ghost');
    await make(engine, before);
    const session = createSession(engine, { hash: '#prompt=a+crab' });
    for (let clip = 0; clip < 3; clip++) await make(engine, session);
    expect(new Set(engine.asked.slice(1).map(({ seed }) => seed)).size).toBe(3);
    expect([session.borrowed.value, stored()]).toEqual([true, ['a ghost', undefined]]);
  });
});
