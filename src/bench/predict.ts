// Times on adapters that are not at hand, from counted work and stated assumptions. It measures nothing.
import type { PlanStats } from '../gpu/plan';
import type { PlanResult, Prediction } from './result';

export interface AssumedAdapter {
  readonly name: string;
  readonly teraflops: number;
  readonly gigabytesPerSecond: number;
  /** What a dispatch costs by itself: launch, barrier, and the tail in which few workgroups are left. */
  readonly microsecondsPerDispatch: number;
  /**
   * Share of the peak that the kernels are taken to reach: about what the fastest WGSL products do on an Apple M1, 900 of 2600
   * GFLOP/s (github.com/FL33TW00D/wgpu-mm). Metal's matrix units, which WGSL lacks, do 70 % there.
   */
  readonly arithmetic: number;
  /** Share of the bandwidth: an assumption. */
  readonly memory: number;
}

export const assumedAdapters: readonly AssumedAdapter[] = [
  {
    name: 'integrated GPU of 2 TFLOP/s',
    teraflops: 2,
    gigabytesPerSecond: 60,
    microsecondsPerDispatch: 20,
    arithmetic: 0.35,
    memory: 0.7,
  },
  {
    name: 'discrete GPU of 20 TFLOP/s',
    teraflops: 20,
    gigabytesPerSecond: 500,
    microsecondsPerDispatch: 8,
    arithmetic: 0.35,
    memory: 0.7,
  },
];

export type Work = Pick<PlanStats, 'flops' | 'bytes' | 'dispatches'>;

/** Milliseconds: arithmetic, memory and dispatches one after another, as if nothing overlapped. */
export function predictMilliseconds({ flops, bytes, dispatches }: Work, adapter: AssumedAdapter): number {
  const arithmetic = flops / (adapter.teraflops * 1e12 * adapter.arithmetic);
  const memory = bytes / (adapter.gigabytesPerSecond * 1e9 * adapter.memory);
  return 1e3 * (arithmetic + memory) + (dispatches * adapter.microsecondsPerDispatch) / 1e3;
}

/** @param plans all programs of a clip, among them one step of the picture and one of the clip */
export function predictions(plans: readonly PlanResult[]): Prediction[] {
  return assumedAdapters.map((adapter) => {
    const step = (part: PlanResult['part']) => {
      const plan = plans.find((found) => found.part === part);
      if (!plan) throw new Error(`predictions: no program of the ${part} was counted`);
      return predictMilliseconds(plan, adapter);
    };
    const sum = (wanted: readonly PlanResult[]) =>
      wanted.reduce((total, plan) => total + plan.runs * predictMilliseconds(plan, adapter), 0);
    return {
      adapter: adapter.name,
      assumptions:
        `${Math.round(100 * adapter.arithmetic)} % of peak arithmetic, ${Math.round(100 * adapter.memory)} % of ` +
        `${adapter.gigabytesPerSecond} GB/s, ${adapter.microsecondsPerDispatch} µs for each dispatch, nothing overlapping`,
      pictureMilliseconds: step('picture'),
      stepMilliseconds: step('clip'),
      decodeMilliseconds: sum(plans.filter(({ part }) => part === 'decode')),
      clipSeconds: sum(plans) / 1e3,
    };
  });
}
