// How many runs fill a turn, on a clock that only runs and waits move on.
import { afterEach, expect, test, vi } from 'vitest';
import { runsOf } from '../../src/bench/measure';

afterEach(() => {
  vi.restoreAllMocks();
});

function arm(run: number, wait: number) {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const advance = (milliseconds: number) => async () => {
    now += milliseconds;
  };
  return { run: advance(run), wait: advance(wait) };
}

test.for([
  { run: 1, wait: 4, runs: 60 }, // a wait that is longer than the run is no part of it
  { run: 3, wait: 0, runs: 20 },
  { run: 0.001, wait: 2, runs: 100 },
  { run: 25, wait: 1, runs: 2 },
  { run: 500, wait: 1, runs: 1 },
])('a turn of 60 ms has $runs runs of $run ms with a wait of $wait ms', async ({ run, wait, runs }) => {
  expect(await runsOf(arm(run, wait), run + wait, 60)).toBe(runs);
});
