// What is timed: an arm that is right, as often as fills a turn, on a clock that only runs and waits move on.
import { afterEach, expect, test, vi } from 'vitest';
import type { Arm, BenchCase } from '../../src/bench/case';
import { inOneLine, measureCase, paces, runsOf } from '../../src/bench/measure';
import { Counters } from '../../src/bench/runtimes/device';
import type { Gpu } from '../../src/gpu/device';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
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

/** An arm that gives this result. */
function armOf(runtime: Arm['runtime'], result: readonly number[]) {
  const run = vi.fn();
  const dispose = vi.fn();
  const output = async () => Float32Array.from(result);
  const prepare = async () => ({ run, wait: async () => undefined, output, dispose });
  return { runtime, kind: 'as written', how: 'one kernel', prepare, run, dispose } as const;
}

/** @param invalid why the device refuses a command of the arm at this place */
async function measure(arms: readonly Arm[], invalid: readonly (string | undefined)[] = []) {
  class GPUError {
    constructor(readonly message: string) {}
  }
  vi.stubGlobal('GPUError', GPUError);
  const scopes: unknown[] = [];
  let popped = 0;
  const device = {
    pushErrorScope: (filter: string) => void scopes.push(filter),
    popErrorScope: async () => {
      const isFirst = scopes.pop() === 'internal';
      const message = isFirst ? invalid[popped++] : undefined;
      return message ? new GPUError(message) : null;
    },
  };
  const bench: BenchCase = {
    group: 'linear',
    name: 'test',
    source: 'here',
    cost: { flops: 1, bytes: 1 },
    tolerance: 1e-4,
    reference: async () => [1, -4],
    arms,
  };
  const gpu = { device } as unknown as Gpu;
  const counters = { dispatches: 0 } as unknown as Counters;
  return (await measureCase(bench, { gpu, counters, pace: { ...paces.hardware, turns: 1 } })).arms;
}

test('an arm that gives a wrong result has no time, and is told to be wrong', async () => {
  const [right, near, wrong, short, none] = [[1, -4], [1, -4.0003], [1, -4.1], [1], [1, Number.NaN]].map((result) =>
    armOf('tfjs', result),
  );
  const results = await measure([right!, near!, wrong!, short!, none!]);
  for (const result of results.slice(0, 2)) {
    expect(result).toMatchObject({ milliseconds: { samples: 1 } });
    expect(result.failure).toBeUndefined();
  }
  expect(results[1]!.error).toBeCloseTo(7.5e-5, 6);
  for (const [i, words] of ['off by 2.5e-2', 'off by Infinity', 'off by Infinity'].entries()) {
    expect(results[2 + i]).toEqual({
      runtime: 'tfjs',
      kind: 'as written',
      how: 'one kernel',
      failure: `its result is ${words}, at most 0.0001 is allowed`,
    });
  }
  expect(wrong!.run).toHaveBeenCalledOnce(); // to be checked, and never again
  for (const arm of [right, near, wrong, short, none]) expect(arm!.dispose).toHaveBeenCalledOnce();
});

test('an arm whose command the device refuses has no time, whatever its result; the next one is not blamed', async () => {
  const results = await measure([armOf('tfjs', [1, -4]), armOf('flipbook', [1, -4])], ['a buffer is too small']);
  expect(results[0]).toMatchObject({ failure: 'a buffer is too small' });
  expect(results[0]!.milliseconds).toBeUndefined();
  expect(results[1]!.milliseconds).toBeDefined();
});

test('a browser without WebGPU, and so without its classes, is told in one line', () => {
  const error = (() => {
    try {
      return new Counters();
    } catch (caught) {
      return caught;
    }
  })();
  expect(error).toMatchObject({ code: 'no-webgpu' });
  expect(inOneLine(error)).toBe('This browser has no WebGPU');
  expect(inOneLine(new Error('one\n  two'))).toBe('one two');
});
