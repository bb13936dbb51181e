// Encoders that break or fall silent in the middle of a clip: the error says what happened, and nothing leaks.
import { expect, onTestFinished, test, vi } from 'vitest';
import { Mp4Sink } from '../../src/media/mp4';
import { frameTiming } from '../../src/media/sink';
import { type Behaviour, FakeEncoder, fake } from './fake-encoder';
import { allClosed, failure, frames, open, shape } from './faults';

/** Milliseconds after which an encoder that gives nothing is taken for silent, in the tests of just that. */
const patience = 300;

/** Adds every frame, then closes: the error is of whichever noticed first. */
async function encodeAll(Encoder: typeof VideoEncoder, list: readonly VideoFrame[], wait = 60_000) {
  const sink = await Mp4Sink.open({ ...shape, Encoder, patience: wait });
  for (const [i, frame] of list.entries()) {
    await sink.add(frame).catch((error) => {
      for (const rest of list.slice(i + 1)) rest.close();
      throw error;
    });
  }
  return sink.close();
}

test('the fake encoder makes a file when it behaves', async () => {
  const list = frames(5);
  const clip = await encodeAll(fake({}), list);
  expect(clip.frames).toBe(5);
  expect(clip.durationSeconds).toBeCloseTo(5 / 12, 5);
  expect(open(list)).toBe(0);
});

test('an encoder may take its time, as long as it gives something now and then', async () => {
  // By a clock of its own: a machine under load would be late by the real one.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const behaviour: Behaviour = {
    encode: () => undefined,
    flush: async (encoder) => {
      for (let i = 0; i < 5; i++) {
        await vi.advanceTimersByTimeAsync(0.9 * patience);
        encoder.give(i ? 'delta' : 'key', frameTiming(i, 12).timestamp);
      }
    },
  };
  expect((await encodeAll(fake({}, behaviour), frames(5), patience)).frames).toBe(5);
});

/** The trial goes well; then, in the clip, this. */
const midway: Record<string, readonly [Behaviour, string, wait?: number]> = {
  'a queue that stays full': [
    { encode: (encoder) => encoder.encodeQueueSize++ },
    'gave no answer within 0.3 s',
    patience,
  ],
  'a flush that does not end': [{ flush: () => new Promise(() => {}) }, 'gave no answer within 0.3 s', patience],
  'encode throws': [
    {
      encode: (encoder, frame, index) => {
        if (index === 2) throw new DOMException('out of surfaces', 'OperationError');
        encoder.give(index ? 'delta' : 'key', frame.timestamp);
      },
    },
    'out of surfaces',
  ],
  'configure throws': [
    {
      configure: () => {
        throw new DOMException('gone', 'NotSupportedError');
      },
    },
    'gone',
  ],
  'an error between frames': [
    {
      encode: (encoder, frame, index) =>
        index === 2 ? encoder.fail('codec reclaimed') : encoder.give(index ? 'delta' : 'key', frame.timestamp),
    },
    'codec reclaimed',
  ],
  'an error during flush': [
    {
      flush: async (encoder) => {
        encoder.fail('lost at the end');
        throw new DOMException('Aborted due to close()', 'AbortError');
      },
    },
    'lost at the end',
  ],
  'an error just after flush has rejected': [
    {
      flush: async (encoder) => {
        setTimeout(() => encoder.fail('the real reason'));
        throw new DOMException('Aborted due to close()', 'AbortError');
      },
    },
    'the real reason',
  ],
  'flush rejects and nobody says why': [
    { flush: () => Promise.reject(new DOMException('flush failed', 'EncodingError')) },
    'flush failed',
  ],
  'a delta frame first': [{ encode: (encoder, frame) => encoder.give('delta', frame.timestamp) }, 'no key frame'],
  'no decoder configuration': [
    { encode: (encoder, frame, index) => encoder.give(index ? 'delta' : 'key', frame.timestamp, false) },
    'no decoder configuration',
  ],
  'a frame dropped': [
    {
      encode: (encoder, frame, index) => {
        if (index !== 3) encoder.give(index ? 'delta' : 'key', frame.timestamp);
      },
    },
    'gave 4 frames for 5',
  ],
  'frames out of order': [
    {
      encode: (encoder, frame, index) => {
        const other = [0, 2, 1, 3, 4][index]!;
        encoder.give(index ? 'delta' : 'key', other === index ? frame.timestamp : frameTiming(other, 12).timestamp);
      },
    },
    'was due',
  ],
};

test.for(Object.entries(midway))('%s: a clear error, every frame closed', async ([, [behaviour, words, wait]]) => {
  const list = frames(5);
  const error = await failure(encodeAll(fake({}, behaviour), list, wait));
  expect(error.code).toBe('encoder');
  expect(error.message).toContain(words);
  expect(error.hint).not.toBe('');
  expect(open(list)).toBe(0);
  expect(allClosed()).toBe(true);
});

test('add waits while the encoder holds four frames, and goes on at dequeue', async () => {
  const Encoder = fake(
    {},
    {
      encode: (encoder) => {
        encoder.encodeQueueSize++;
      },
    },
  );
  const sink = await Mp4Sink.open({ ...shape, Encoder });
  const list = frames(6);
  const done: number[] = [];
  const added = list.map((frame, i) => sink.add(frame).then(() => done.push(i)));
  await vi.waitFor(() => expect(done).toEqual([0, 1, 2, 3]));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(done).toEqual([0, 1, 2, 3]);
  const encoder = FakeEncoder.instances.at(-1)!;
  encoder.encodeQueueSize = 3;
  encoder.dispatchEvent(new Event('dequeue'));
  await added[4];
  expect(done).toEqual([0, 1, 2, 3, 4]);
  // The sixth waits again: cancelling must wake it.
  const sixth = expect(added[5]).rejects.toMatchObject({ code: 'cancelled' });
  await sink.cancel();
  await sixth;
  expect(open(list)).toBe(0);
  expect(allClosed()).toBe(true);
});

test('cancel during flush ends close with "cancelled"', async () => {
  let flushing = () => {};
  const started = new Promise<void>((resolve) => {
    flushing = resolve;
  });
  const Encoder = fake(
    {},
    {
      flush: (encoder) =>
        new Promise((_, reject) => {
          flushing();
          encoder.close = () => {
            encoder.state = 'closed';
            reject(new DOMException('Aborted due to close()', 'AbortError'));
          };
        }),
    },
  );
  const sink = await Mp4Sink.open({ ...shape, Encoder });
  await sink.add(frames(1)[0]!);
  const closed = failure(sink.close());
  await started;
  await sink.cancel();
  expect((await closed).code).toBe('cancelled');
});
