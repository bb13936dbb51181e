// Predictions from counted work: the arithmetic, and that each part of the work counts.
import { expect, test } from 'vitest';
import { assumedAdapters, predictions, predictMilliseconds } from '../../src/bench/predict';

const adapter = {
  name: 'test',
  teraflops: 1,
  gigabytesPerSecond: 100,
  microsecondsPerDispatch: 10,
  arithmetic: 0.5,
  memory: 0.5,
};

test('arithmetic, memory and dispatches add up', () => {
  expect(predictMilliseconds({ flops: 5e9, bytes: 0, dispatches: 0 }, adapter)).toBeCloseTo(10, 9);
  expect(predictMilliseconds({ flops: 0, bytes: 5e8, dispatches: 0 }, adapter)).toBeCloseTo(10, 9);
  expect(predictMilliseconds({ flops: 0, bytes: 0, dispatches: 100 }, adapter)).toBeCloseTo(1, 9);
  expect(predictMilliseconds({ flops: 5e9, bytes: 5e8, dispatches: 100 }, adapter)).toBeCloseTo(21, 9);
});

test('a clip is its steps and its decoding, on every assumed adapter', () => {
  const work = { flops: 1e9, bytes: 1e8, dispatches: 100 };
  const nothing = { flops: 0, bytes: 0, dispatches: 0 };
  const made = predictions({ picture: nothing, clip: work, decode: work, pictureSteps: 16, clipSteps: 8 });
  expect(made.map(({ adapter }) => adapter)).toEqual(assumedAdapters.map(({ name }) => name));
  made.forEach(({ stepMilliseconds, decodeMilliseconds, clipSeconds }, i) => {
    expect(stepMilliseconds).toBe(predictMilliseconds(work, assumedAdapters[i]!));
    expect(clipSeconds).toBeCloseTo((8 * stepMilliseconds + decodeMilliseconds) / 1e3, 12);
  });
});
