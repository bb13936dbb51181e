// Predictions from counted work: the arithmetic, and that each part of the work counts.
import { expect, test } from 'vitest';
import { assumedAdapters, predictions, predictMilliseconds } from '../../src/bench/predict';
import { planOf } from './results';

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

test('a clip is all runs of its programs, on every assumed adapter', () => {
  const [small, large] = [planOf({ flops: 1e8, dispatches: 20 }), planOf({ flops: 1e9, bytes: 1e8, dispatches: 100 })];
  const made = predictions([
    { ...small, part: 'prompt', runs: 1 },
    { ...small, part: 'picture', runs: 8 },
    { ...large, part: 'clip', runs: 4 },
    { ...small, part: 'preview', runs: 12 },
    { ...large, part: 'decode', runs: 3 },
    { ...large, part: 'decode', runs: 0 },
  ]);
  expect(made.map(({ adapter }) => adapter)).toEqual(assumedAdapters.map(({ name }) => name));
  made.forEach((found, i) => {
    const [few, many] = [small, large].map((plan) => predictMilliseconds(plan, assumedAdapters[i]!)) as [
      number,
      number,
    ];
    expect(found.pictureMilliseconds).toBe(few);
    expect(found.stepMilliseconds).toBe(many);
    expect(found.decodeMilliseconds).toBeCloseTo(3 * many, 9);
    expect(found.clipSeconds).toBeCloseTo((21 * few + 7 * many) / 1e3, 12);
  });
});

test('without a step of the clip there is nothing to predict', () => {
  expect(() => predictions([planOf({ flops: 1, dispatches: 1 })])).toThrow('no program of the clip');
});
