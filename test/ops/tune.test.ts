// How often tuning repeats a run in one submit.
import { expect, test } from 'vitest';
import { repeatsOf } from '../../src/ops/tune';

test.each([
  { run: 0.02, latency: 0.2, repeats: 40 }, // no shorter run is believed
  { run: 0.5, latency: 0.2, repeats: 8 },
  { run: 30, latency: 0.2, repeats: 1 },
  { run: 0.02, latency: 6, repeats: 400 }, // some milliseconds more or less must not decide
  { run: 0.5, latency: 6, repeats: 80 },
  { run: 30, latency: 6, repeats: 2 },
])('$repeats of $run ms where an end is told after $latency ms', ({ run, latency, repeats }) => {
  expect(repeatsOf(run, latency)).toBe(repeats);
});
