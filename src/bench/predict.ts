// Times on adapters that are not at hand, from counted work and stated assumptions. It measures nothing.
import type { PlanStats } from '../gpu/plan';
import type { Prediction } from './result';

export interface AssumedAdapter {
  readonly name: string;
  readonly teraflops: number;
  readonly gigabytesPerSecond: number;
  /** What a dispatch costs by itself: launch, barrier, and the tail in which few workgroups are left. */
  readonly microsecondsPerDispatch: number;
  /** Share of the peak that the kernels reach: tiled WGSL products are reported at 35 to 70 %. */
  readonly arithmetic: number;
  /** Share of the bandwidth. */
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

export interface ClipWork {
  /** One guided step of the picture, one step of the clip, and the whole decoder. */
  readonly picture: Work;
  readonly clip: Work;
  readonly decode: Work;
  readonly pictureSteps: number;
  readonly clipSteps: number;
}

export function predictions(work: ClipWork): Prediction[] {
  return assumedAdapters.map((adapter) => {
    const stepMilliseconds = predictMilliseconds(work.clip, adapter);
    const decodeMilliseconds = predictMilliseconds(work.decode, adapter);
    const picture = predictMilliseconds(work.picture, adapter);
    const clip = work.pictureSteps * picture + work.clipSteps * stepMilliseconds + decodeMilliseconds;
    return {
      adapter: adapter.name,
      assumptions:
        `${Math.round(100 * adapter.arithmetic)} % of peak arithmetic, ${Math.round(100 * adapter.memory)} % of ` +
        `${adapter.gigabytesPerSecond} GB/s, ${adapter.microsecondsPerDispatch} µs for each dispatch, nothing overlapping`,
      stepMilliseconds,
      decodeMilliseconds,
      clipSeconds: clip / 1e3,
    };
  });
}
