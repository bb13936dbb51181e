// Runs the arms of one case: each is checked against the reference, then they are timed in turns. It knows no arm.
import type { Gpu } from '../gpu/device';
import { messageOf } from '../gpu/errors';
import type { Arm, BenchCase, Prepared } from './case';
import type { ArmResult, CaseResult } from './result';
import type { Counters } from './runtimes/device';
import { relativeError, timingOf } from './statistics';

interface Pace {
  /** Untimed runs of each arm, the checked one included. */
  readonly warmUps: number;
  /** Turns; in each, every arm runs until about `turn` milliseconds are over, then waits once. */
  readonly turns: number;
  readonly turn: number;
  /** An arm that takes longer for one run is timed in `slowTurns` turns only, and its second run counts too. */
  readonly slow: number;
  readonly slowTurns: number;
}

export const paces: Readonly<Record<'software' | 'hardware', Pace>> = {
  software: { warmUps: 2, turns: 5, turn: 100, slow: 600, slowTurns: 2 },
  hardware: { warmUps: 10, turns: 15, turn: 60, slow: 2500, slowTurns: 3 },
};

/** Some peers keep the results of all runs until they are waited for. */
const mostRuns = 100;

interface Runner {
  readonly arm: Arm;
  readonly prepared: Prepared;
  readonly error: number;
  readonly dispatches: number;
  /** Milliseconds from the start of its preparation to its first result. */
  readonly first: number;
  /** Milliseconds of a run by itself, its wait included. */
  readonly single: number;
  /** Runs of a turn. */
  readonly runs: number;
  readonly times: number[];
}

export interface MeasureOptions {
  readonly gpu: Gpu;
  readonly counters: Counters;
  readonly pace: Pace;
  /** Told after each arm is checked, and after each turn. */
  readonly tell?: (line: string) => void;
}

/** Never throws for an arm: one that does not prepare, run or verify is reported with its error. */
export async function measureCase(bench: BenchCase, options: MeasureOptions): Promise<CaseResult> {
  const { pace, tell } = options;
  const expected = await bench.reference();
  const failed = new Map<Arm, ArmResult>();
  const runners: Runner[] = [];
  for (const arm of bench.arms) {
    const { runtime, kind, how } = arm;
    try {
      runners.push(await check(arm, bench, expected, options));
      tell?.(`${runtime}, ${how}: verified, first run ${Math.round(runners.at(-1)!.first)} ms`);
    } catch (error) {
      failed.set(arm, { runtime, kind, how, failure: inOneLine(error) });
      tell?.(`${runtime}, ${how}: ${inOneLine(error)}`);
    }
  }
  for (let turn = 0; turn < pace.turns; turn++) {
    for (const runner of runners) {
      if (failed.has(runner.arm) || (runner.single > pace.slow && turn >= pace.slowTurns)) continue;
      try {
        runner.times.push(await timed(runner));
      } catch (error) {
        const { runtime, kind, how } = runner.arm;
        failed.set(runner.arm, { runtime, kind, how, failure: inOneLine(error) });
      }
    }
  }
  for (const { prepared } of runners) prepared.dispose();
  const results = new Map(runners.map((runner) => [runner.arm, resultOf(runner)]));
  return {
    group: bench.group,
    name: bench.name,
    source: bench.source,
    cost: bench.cost,
    arms: bench.arms.map((arm) => failed.get(arm) ?? results.get(arm)!),
  };
}

/** Prepares, runs and compares, inside error scopes: an arm's invalid command must not count against another. */
async function check(
  arm: Arm,
  bench: BenchCase,
  expected: ArrayLike<number>,
  { gpu, counters, pace }: MeasureOptions,
): Promise<Runner> {
  const { device } = gpu;
  const filters = ['validation', 'out-of-memory', 'internal'] as const;
  for (const filter of filters) device.pushErrorScope(filter);
  let prepared: Prepared | undefined;
  let runner: Runner | undefined;
  let failure: unknown;
  try {
    const start = performance.now();
    prepared = await arm.prepare();
    const before = counters.dispatches;
    await once(prepared);
    const first = performance.now() - start;
    const dispatches = counters.dispatches - before;
    const error = relativeError(await prepared.output(), expected);
    if (!(error <= bench.tolerance)) {
      throw new Error(`its result is off by ${error.toExponential(1)}, at most ${bench.tolerance} is allowed`);
    }
    let single = first;
    const times: number[] = [];
    for (let run = 1; run < pace.warmUps; run++) {
      const again = performance.now();
      await once(prepared);
      const elapsed = performance.now() - again;
      single = Math.min(single, elapsed);
      if (elapsed > pace.slow) times.push(elapsed);
      if (single > pace.slow) break;
    }
    const runs = await runsOf(prepared, single, pace.turn);
    runner = { arm, prepared, error, dispatches, first, single, runs, times };
  } catch (error) {
    failure = error ?? new Error('it failed without a reason');
  }
  for (const _ of filters) {
    const invalid = await device.popErrorScope().catch(() => null);
    // Its reason comes first: a wrong result is what it leads to.
    if (invalid) failure = invalid;
  }
  if (runner && failure === undefined) return runner;
  prepared?.dispose();
  throw failure;
}

async function once(prepared: Prepared): Promise<void> {
  await prepared.run();
  await prepared.wait();
}

/** Runs that fill a turn. A wait may take longer than a run, so the run's own time is what several add to one. */
export async function runsOf(prepared: Pick<Prepared, 'run' | 'wait'>, single: number, turn: number): Promise<number> {
  if (single > turn / 4) return Math.max(1, Math.round(turn / single));
  const more = 8;
  const start = performance.now();
  for (let run = 0; run <= more; run++) await prepared.run();
  await prepared.wait();
  const own = (performance.now() - start - single) / more;
  return Math.max(1, Math.min(mostRuns, Math.round(turn / Math.max(own, 0.05))));
}

/** Milliseconds of one run, from several that are waited for together. */
async function timed({ prepared, runs }: Runner): Promise<number> {
  const start = performance.now();
  for (let run = 0; run < runs; run++) await prepared.run();
  await prepared.wait();
  return (performance.now() - start) / runs;
}

function resultOf({ arm, error, dispatches, first, times }: Runner): ArmResult {
  const { runtime, kind, how } = arm;
  if (times.length === 0) return { runtime, kind, how, error, dispatches, failure: 'it was not timed' };
  const milliseconds = timingOf(times);
  const compileMilliseconds = Math.max(0, first - milliseconds.median);
  return { runtime, kind, how, milliseconds, compileMilliseconds, error, dispatches };
}

/** An error in one line. A GPUError is no Error, and there is no such class where there is no WebGPU. */
export function inOneLine(error: unknown): string {
  const text = !(error instanceof Error) && error instanceof GPUError ? error.message : messageOf(error);
  return text.replace(/\s+/g, ' ').trim().slice(0, 300);
}
