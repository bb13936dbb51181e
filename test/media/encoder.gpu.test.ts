// Encoders that lie, break or stay silent in their trial: the ladder goes on, or the error says what happened, and nothing
// leaks. What they do after it: midway.gpu.test.ts.
import { expect, test, vi } from 'vitest';
import { chooseEncoder, distrust, type EncoderChoice, ladder } from '../../src/media/encoder';
import { type Behaviour, FakeEncoder, fake } from './fake-encoder';
import { allClosed, failure, shape } from './faults';

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
