// Files that are put beside the start picture's control: what they become, and where that is said. With settings in them they are
// test/media's and the end-to-end tests'.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import { pngSignature } from '../../src/media/png';
import { receiveFiles } from '../../src/ui/files';
import { createSession } from '../../src/ui/session';
import type { FakeEngine } from './fake-engine';
import { each, file, reader } from './pictures';
import { visit } from './visit';

let engine: FakeEngine;
beforeEach(() => {
  engine = visit();
});
afterEach(() => vi.unstubAllGlobals());

test.each([
  ['that holds no settings', 'a.png', 'image/png', pngSignature, '“a.png” holds no Flipbook settings.'],
  ['of a kind that never does', 'a.jpg', 'image/jpeg', [0xff, 0xd8], '“a.jpg” holds no Flipbook settings.'],
  [
    'whose settings are damaged',
    'a.png',
    'image/png',
    [...pngSignature, 9, 9, 9, 9, ...new Uint8Array(8)],
    '“a.png”: This PNG file is damaged: a part has a wrong size.',
  ],
])('a picture %s, put beside the control, is said to be the start picture', async (_what, name, type, bytes, why) => {
  const session = createSession(engine, each);
  const given = new File([Uint8Array.from(bytes)], name, { type });
  expect(await receiveFiles(session, [given])).toBe('note');
  expect([session.start.picture.value?.name, session.note.value]).toEqual([
    name,
    `${why} It is the start picture now.`,
  ]);
  expect(await receiveFiles(session, [given], true)).toBe('control');
});

test('one that cannot be read is explained at the control, wherever it was put', async () => {
  const broken = reader(() => {
    throw new FlipbookError('input', 'It shows nothing.', { hint: '' });
  });
  const session = createSession(engine, broken);
  expect(await receiveFiles(session, [file('a.png')])).toBe('control');
  expect([session.start.problem.value, session.note.value]).toEqual(['It shows nothing.', '']);
});
