// Measures the variants of kernels on this adapter within a given time. It remembers nothing (src/gpu/remembered.ts), and a
// result is the same whichever variant wins: the tests of the kernels hold that.
import type { Problem } from '../gpu/choices';
import type { Gpu } from '../gpu/device';
import { disposeOnThrow } from '../gpu/dispose';
import { Plan } from '../gpu/plan';

/** Milliseconds of one run of a variant. May fail where it does not compile or fit. */
export type Measure = (problem: Problem, variant: number, signal: AbortSignal) => Promise<number>;

export interface TuneOptions {
  readonly measure: Measure;
  /** Milliseconds that all of it may take. What is not reached keeps its default. */
  readonly budget: number;
  readonly now?: () => number;
  readonly tell?: ((line: string) => void) | undefined;
}

export interface Tuning {
  /** Names of the fastest variants, by problem. */
  readonly variants: Readonly<Record<string, string>>;
  readonly milliseconds: number;
  readonly budget: number;
  /** Problems that were there, that were measured, and whose default is not the fastest. */
  readonly problems: number;
  readonly measured: number;
  readonly changed: number;
}

/** A variant must be this much faster than the default: less may be chance. */
const margin = 0.95;

/** The problems with the most work come first. */
export async function tune(problems: readonly Problem[], options: TuneOptions): Promise<Tuning> {
  const { measure, budget, now = () => performance.now(), tell } = options;
  const start = now();
  const left = () => budget - (now() - start);
  const variants: Record<string, string> = {};
  let changed = 0;
  const open = problems.filter((problem) => problem.variants.length > 1).sort((a, b) => b.flops - a.flops);
  for (const problem of open) {
    const times: number[] = [];
    for (let variant = 0; variant < problem.variants.length && left() > 0; variant++) {
      times.push(await within(left(), (signal) => measure(problem, variant, signal)));
    }
    // The default must have been measured, and something to compare it with.
    if (times.length < 2 || !Number.isFinite(times[0])) continue;
    const best = times.indexOf(Math.min(...times));
    const fastest = times[best]! < margin * times[0]! ? best : 0;
    variants[problem.key] = problem.variants[fastest]!;
    if (fastest > 0) changed++;
    tell?.(`${problem.key}: ${times.map((ms) => ms.toPrecision(3)).join(', ')} ms, variant ${fastest}; ${sum()}`);
  }
  function sum(): string {
    return `tuning: ${seconds(now() - start)} of at most ${seconds(budget)}`;
  }
  tell?.(sum());
  return {
    variants,
    milliseconds: now() - start,
    budget,
    problems: open.length,
    measured: Object.keys(variants).length,
    changed,
  };
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1e3).toFixed(1)} s`;
}

/** What `act` gives; infinity where it fails or takes longer. */
async function within(milliseconds: number, act: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<number>((resolve) => {
    timer = setTimeout(() => {
      controller.abort();
      resolve(Number.POSITIVE_INFINITY);
    }, milliseconds);
  });
  try {
    return await Promise.race([act(controller.signal).catch(() => Number.POSITIVE_INFINITY), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * How often a run is repeated in a submit, so that it can be timed: for 4 ms; for 40 where the browser reports an end late, at
 * times that vary.
 * @param run milliseconds of a single one; what is said to take less than 0.1 counts as that
 * @param latency milliseconds until the end of an empty submit is told
 */
export function repeatsOf(run: number, latency: number): number {
  return Math.ceil((latency > 2 ? 40 : 4) / Math.max(run, 0.1));
}

/** The fastest of three submits on inputs of zeros, after one that is not counted. */
export function gpuMeasure(gpu: Gpu): Measure {
  return async (problem, variant, signal) => {
    const plan = new Plan(gpu, 'tuning');
    disposeOnThrow([plan], () => plan.keep(problem.record(plan, variant)));
    const program = await plan.compile(signal);
    const run = async (repeats: number): Promise<number> => {
      const milliseconds = await gpu.time('tuning', (encoder) => {
        for (let i = 0; i < repeats; i++) program.run(encoder);
      });
      return milliseconds / repeats;
    };
    try {
      const repeats = repeatsOf(await run(1), gpu.latency);
      const times: number[] = [];
      while (times.length < 3 && !signal.aborted) times.push(await run(repeats));
      return Math.min(...times);
    } finally {
      program.dispose();
    }
  };
}
