// Cancel on a fake engine: that it shows at once, is asked for once, and that what follows it at once is not taken for Generate.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { begin } from '../../src/ui/begin';
import { timeLeft } from '../../src/ui/progress';
import { createSession } from '../../src/ui/session';
import type { FakeEngine } from './fake-engine';
import { emptyStore, make, visit } from './visit';

let engine: FakeEngine;
beforeEach(() => {
  engine = visit();
  vi.stubGlobal('matchMedia', () => ({ matches: false }));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Cancel is heard, and not answered yet. */
function deaf(): () => void {
  const answer = engine.cancel;
  engine.cancel = () => void engine.log.push('heard');
  return answer;
}

const step = { type: 'step', index: 2, of: 8, stage: 'picture', share: 0.3, eta: 5 } as const;

test('is shown until the engine has answered, whatever it still tells, and asked for once', async () => {
  const session = createSession(engine);
  const run = session.generate();
  engine.send({ ...step, index: 1, share: 0.2 });
  const before = session.progress.value!;
  const answer = deaf();
  session.cancel();
  engine.send(step);
  engine.send({ type: 'unread', unknown: ['猫'], cut: [] });
  expect([session.note.value, session.announcement.value]).toEqual(['', 'Cancelling…']);
  session.cancel();
  const { value: shown } = session.progress;
  expect(shown).toMatchObject({ words: 'Cancelling…', fraction: before.fraction, part: 'picture', isCancelling: true });
  expect(timeLeft(shown!)).toBe('');
  expect(engine.log).toEqual(['heard']);
  answer();
  await run;
  expect([session.progress.value, session.note.value]).toEqual([undefined, 'Cancelled.']);
});

test('a clip that is finished all the same is taken', async () => {
  const session = createSession(engine, { clipStore: emptyStore });
  const run = make(engine, session);
  expect(session.clip.value).toBeDefined();
  await run;
  const first = session.clip.value;
  const late = session.generate();
  deaf();
  session.cancel();
  engine.send({
    type: 'done',
    video: new Blob(['mp4']),
    codec: 'avc1',
    options: engine.asked[1]!,
    stats: first!.stats,
  });
  engine.end();
  await late;
  expect(session.clip.value?.options).toBe(engine.asked[1]);
  expect([session.progress.value, session.isResting.value]).toEqual([undefined, true]);
});

test('the MP4 on another paper: its news do not hide that it is being cancelled', async () => {
  const session = createSession(engine, { clipStore: emptyStore });
  await make(engine, session);
  session.edit('background', '#123456');
  const recorded = session.recorded();
  const answer = deaf();
  session.cancel();
  engine.ink(3);
  expect(session.progress.value).toMatchObject({ words: 'Cancelling…', part: 'again' });
  answer();
  expect(await recorded).toBeUndefined();
});

test('a second click, which lands on Generate, begins nothing; one that comes later does', async () => {
  vi.useFakeTimers();
  const session = createSession(engine);
  const run = session.generate();
  session.cancel();
  await run;
  begin(session);
  expect([engine.asked.length, session.isResting.value]).toEqual([1, true]);
  await vi.advanceTimersByTimeAsync(600);
  begin(session);
  await vi.advanceTimersByTimeAsync(0);
  expect([engine.asked.length, session.isResting.value]).toEqual([2, false]);
  engine.end(); // Where nothing was cancelled, the next may follow at once.
  await vi.advanceTimersByTimeAsync(0);
  begin(session);
  await vi.advanceTimersByTimeAsync(0);
  expect(engine.asked.length).toBe(3);
});
