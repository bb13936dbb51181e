// Encoders that lie, break or stay silent: the ladder goes on, or the error says what happened, and nothing leaks.
import { expect, test, vi } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import { chooseEncoder, distrust, type EncoderChoice, ladder } from '../../src/media/encoder';
import { Mp4Sink } from '../../src/media/mp4';
import { videoFrame } from '../../src/media/pixels';
import { frameTiming } from '../../src/media/sink';
import { patches } from './art';
import { type Behaviour, FakeEncoder, fake } from './fake-encoder';

const shape = { width: 64, height: 64, fps: 12 };

const frames = (count: number) => Array.from({ length: count }, (_, i) => videoFrame(patches(64), frameTiming(i, 12)));
const open = (list: readonly VideoFrame[]) => list.filter((frame) => frame.format !== null).length;
const allClosed = () => FakeEncoder.instances.every((instance) => instance.state === 'closed');

async function failure(work: Promise<unknown>): Promise<FlipbookError> {
  const error = await work.then(
    () => expect.fail('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(FlipbookError);
  return error as FlipbookError;
}

/** Adds every frame, then closes: the error is of whichever noticed first. */
async function encodeAll(Encoder: typeof VideoEncoder, list: readonly VideoFrame[]) {
  const sink = await Mp4Sink.open({ ...shape, Encoder });
  for (const [i, frame] of list.entries()) {
    await sink.add(frame).catch((error) => {
      for (const rest of list.slice(i + 1)) rest.close();
      throw error;
    });
  }
  return sink.close();
}

test('the ladder: H.264 High, Main, Baseline, VP9, each with the browser’s choice of hardware, then in software', () => {
  expect(ladder(shape).map(({ config }) => [config.codec, config.hardwareAcceleration])).toEqual([
    ['avc1.64001e', 'no-preference'],
    ['avc1.64001e', 'prefer-software'],
    ['avc1.4d001e', 'no-preference'],
    ['avc1.4d001e', 'prefer-software'],
    ['avc1.42e01e', 'no-preference'],
    ['avc1.42e01e', 'prefer-software'],
    ['vp09.00.21.08', 'no-preference'],
    ['vp09.00.21.08', 'prefer-software'],
  ]);
});

test.for([
  [128, 'avc1.64001e', 'vp09.00.21.08', 0.4e6],
  [512, 'avc1.64001e', 'vp09.00.31.08', 2 * 12 * 512 ** 2],
  [1024, 'avc1.640028', 'vp09.00.41.08', 20e6],
  [2048, 'avc1.640032', 'vp09.00.52.08', 2 * 12 * 2048 ** 2],
] as const)(
  '%i pixels square gets levels that hold it, and two bits a pixel unless that is too little or too much',
  ([size, avc, vp9, bitrate]) => {
    const rungs = ladder({ width: size, height: size, fps: 12 });
    expect(rungs[0]!.config.codec).toBe(avc);
    expect(rungs.at(-1)!.config.codec).toBe(vp9);
    expect(new Set(rungs.map(({ config }) => config.bitrate))).toEqual(new Set([bitrate]));
  },
);

test('a rung that is unsupported, throws, fails at the trial, gives nothing or stays silent is passed over', async () => {
  const problems: Record<string, Behaviour> = {
    unsupported: { supported: (config) => config.codec.startsWith('vp09') },
    'support check throws': {
      supported: (config) => {
        if (config.codec.startsWith('avc1')) throw new TypeError('bad enum');
        return true;
      },
    },
    'configure throws': {
      configure: (config) => {
        if (config.codec.startsWith('avc1')) throw new DOMException('no', 'NotSupportedError');
      },
    },
    'error at the trial': {
      encode: (encoder, frame, index) =>
        encoder.config!.codec.startsWith('avc1')
          ? encoder.fail('broken')
          : encoder.give(index ? 'delta' : 'key', frame.timestamp),
    },
    'gives nothing': {
      encode: (encoder, frame) => {
        if (encoder.config!.codec.startsWith('vp09')) encoder.give('key', frame.timestamp);
      },
    },
    'begins with a delta frame': {
      encode: (encoder, frame) =>
        encoder.give(encoder.config!.codec.startsWith('vp09') ? 'key' : 'delta', frame.timestamp),
    },
    'gives no decoder configuration': {
      encode: (encoder, frame) => encoder.give('key', frame.timestamp, encoder.config!.codec.startsWith('vp09')),
    },
    'stays silent': {
      flush: (encoder) => (encoder.config!.codec.startsWith('avc1') ? new Promise(() => {}) : Promise.resolve()),
    },
  };
  for (const [name, behaviour] of Object.entries(problems)) {
    const choice = await chooseEncoder(shape, { Encoder: fake(behaviour), patience: 20 });
    expect(choice.config.codec, name).toBe('vp09.00.21.08');
    expect(allClosed(), name).toBe(true);
  }
});

test('a cancel does not wait for an encoder that stays silent', async () => {
  const controller = new AbortController();
  const Encoder = fake({ flush: () => new Promise(() => {}) });
  const choice = failure(chooseEncoder(shape, { Encoder, patience: 60_000, signal: controller.signal }));
  await vi.waitFor(() => expect(FakeEncoder.instances.at(-1)?.state).toBe('configured'));
  controller.abort();
  expect((await choice).code).toBe('cancelled');
  expect(allClosed()).toBe(true);
});

test('hardware that fails is followed by software of the same codec', async () => {
  const Encoder = fake({ supported: (config) => config.hardwareAcceleration === 'prefer-software' });
  const { config } = await chooseEncoder(shape, { Encoder });
  expect([config.codec, config.hardwareAcceleration]).toEqual(['avc1.64001e', 'prefer-software']);
});

test('what failed in a clip is chosen only where nothing else works', async () => {
  const large = { width: 1024, height: 1024, fps: 12 }; // Of a level of its own: no other test meets it.
  const [first, second] = ladder(large) as [EncoderChoice, EncoderChoice];
  const told: EncoderChoice[] = [];
  const choose = (Encoder: typeof VideoEncoder) =>
    chooseEncoder(large, { Encoder, onChoice: (choice) => void told.push(choice) });
  expect(await choose(fake({}))).toEqual(first);
  distrust(first);
  expect(await choose(fake({}))).toEqual(second);
  const only: Behaviour = {
    supported: ({ codec, hardwareAcceleration }) =>
      codec === first.config.codec && hardwareAcceleration === first.config.hardwareAcceleration,
  };
  expect(await choose(fake(only))).toEqual(first);
  expect(told).toEqual([first, second, first]);
});

test('no encoder at all: plain words, a hint, and what was tried', async () => {
  const error = await failure(chooseEncoder(shape, { Encoder: fake({ supported: () => false }) }));
  expect(error.code).toBe('encoder');
  expect(error.message).toBe('This browser cannot encode 64×64 video as H.264 or VP9.');
  expect(error.hint).toContain('Chrome');
  expect(String(error.cause)).toContain('vp09.00.21.08 (prefer-software): not supported');
});

test('a browser without WebCodecs is told so', async () => {
  vi.stubGlobal('VideoEncoder', undefined);
  try {
    expect((await failure(chooseEncoder(shape))).message).toContain('no video encoder');
  } finally {
    vi.unstubAllGlobals();
  }
});

test('cancelled before the search', async () => {
  const error = await failure(chooseEncoder(shape, { Encoder: fake({}), signal: AbortSignal.abort() }));
  expect(error.code).toBe('cancelled');
  expect(FakeEncoder.instances).toEqual([]);
});

test('the fake encoder makes a file when it behaves', async () => {
  const list = frames(5);
  const clip = await encodeAll(fake({}), list);
  expect(clip.frames).toBe(5);
  expect(clip.durationSeconds).toBeCloseTo(5 / 12, 5);
  expect(open(list)).toBe(0);
});

/** The trial goes well; then, in the clip, this. */
const midway: Record<string, readonly [Behaviour, string]> = {
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

test.for(Object.entries(midway))('%s: a clear error, every frame closed', async ([, [behaviour, words]]) => {
  const list = frames(5);
  const error = await failure(encodeAll(fake({}, behaviour), list));
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
