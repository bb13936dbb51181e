// A callback job as an async generator: order, failures, and stopping from either side.
import { expect, test } from 'vitest';
import { stream } from '../../src/engine/stream';

const tick = () => new Promise((resolve) => setTimeout(resolve, 1));

async function collect(events: AsyncIterable<number>): Promise<number[]> {
  const seen: number[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

test('yields everything in order, also what comes in one burst or at the very end', async () => {
  const events = stream<number>(async (emit) => {
    emit(1);
    emit(2);
    await tick();
    emit(3);
  });
  expect(await collect(events)).toEqual([1, 2, 3]);
});

test('throws the failure of the job after what it had emitted', async () => {
  const seen: number[] = [];
  const running = (async () => {
    const events = stream<number>(async (emit) => {
      emit(1);
      await tick();
      throw new Error('broken');
    });
    for await (const event of events) seen.push(event);
  })();
  await expect(running).rejects.toThrow('broken');
  expect(seen).toEqual([1]);
});

test('passes an abort on, with its reason', async () => {
  const controller = new AbortController();
  const events = stream<number>(async (emit, signal) => {
    emit(1);
    while (!signal.aborted) await tick();
    throw signal.reason;
  }, controller.signal);
  expect((await events.next()).value).toBe(1);
  controller.abort(new Error('enough'));
  await expect(events.next()).rejects.toThrow('enough');
});

test('a signal that is aborted already reaches the job', async () => {
  const events = stream<number>(
    async (_emit, signal) => signal.throwIfAborted(),
    AbortSignal.abort(new Error('early')),
  );
  await expect(collect(events)).rejects.toThrow('early');
});

test('a consumer that leaves aborts the job and waits for its end', async () => {
  let ended = false;
  const events = stream<number>(async (emit, signal) => {
    emit(1);
    while (!signal.aborted) await tick();
    await tick();
    ended = true;
  });
  for await (const _event of events) break;
  expect(ended).toBe(true);
});
