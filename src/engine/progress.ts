// What remains of a generation, from what has been measured: counts work in FLOPs and guesses seconds. No GPU here.

import type { OnProgress } from '../gpu/progress';

/** Waits for every job, also after a failure, then throws the first one: nothing goes on behind the caller's back. */
export async function allOf<T>(jobs: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(jobs);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** Adds up the progress of jobs that run side by side. @returns makes the callback of one more job */
export function totals(report: OnProgress): () => OnProgress {
  const jobs: { done: number; total: number }[] = [];
  return () => {
    const job = { done: 0, total: 0 };
    jobs.push(job);
    return (done, total) => {
      Object.assign(job, { done, total });
      report(
        jobs.reduce((sum, each) => sum + each.done, 0),
        jobs.reduce((sum, each) => sum + each.total, 0),
      );
    };
  };
}

/** How far a known amount of work is, and the seconds left of it, from the pace so far. */
export class Remaining {
  readonly #work: number;
  #left: number;
  #done = 0;
  #seconds = 0;

  /** @param work FLOPs of the whole generation */
  constructor(work: number) {
    this.#work = work;
    this.#left = work;
  }

  spend(work: number, seconds: number): void {
    this.#left = Math.max(0, this.#left - work);
    this.#done += work;
    this.#seconds += seconds;
  }

  /** What is done of it, 0 … 1. */
  get share(): number {
    return 1 - this.#left / this.#work;
  }

  /** Seconds; 0 before anything was measured. */
  get eta(): number {
    return this.#done === 0 ? 0 : (this.#left * this.#seconds) / this.#done;
  }
}
