// A small result of the bench with round numbers, for the tests of ratios and reports.
import {
  type ArmKind,
  type ArmResult,
  type BenchResult,
  type CaseResult,
  type Group,
  type PlanResult,
  type Runtime,
  ratiosOf,
} from '../../src/bench/result';

export function arm(runtime: Runtime, kind: ArmKind, median: number, more: Partial<ArmResult> = {}): ArmResult {
  const milliseconds = { median, q1: 0.9 * median, q3: 1.1 * median, samples: 5 };
  return { runtime, kind, how: 'somehow', milliseconds, error: 1e-6, dispatches: 2, ...more };
}

export function failedArm(runtime: Runtime, kind: ArmKind, failure: string): ArmResult {
  return { runtime, kind, how: 'somehow', failure };
}

/** A case of several lengths. */
export function lengthOf(frames: number, steps: number, milliseconds: number): CaseResult {
  const name = `${frames} frames, ${steps === 1 ? 'one step' : `${steps} steps`}`;
  return { ...caseOf('frames', [arm('flipbook', 'ours', milliseconds)], name), frames, steps };
}

export function caseOf(group: Group, arms: readonly ArmResult[], name = `a case of ${group}`): CaseResult {
  return { group, name, source: 'embedded model', cost: { flops: 4e9, bytes: 1e8 }, arms };
}

/** A program of the page that does and takes nothing but what is said. */
export function planOf(more: Partial<PlanResult>): PlanResult {
  const bytes = { bytes: 0, arenaBytes: 0, activationBytes: 0, liveBytes: 0, weightBytes: 0 };
  return { part: 'picture', name: 'picture step', runs: 1, flops: 0, dispatches: 0, ...bytes, ...more };
}

export function resultOf(cases: readonly CaseResult[], more: Partial<BenchResult> = {}): BenchResult {
  return {
    schema: 1,
    date: '2026-01-02T03:04:05.678Z',
    seconds: 99.6,
    machine: { adapter: 'Test adapter', isSoftware: true, features: ['subgroups'], userAgent: 'Test/1', threads: 2 },
    versions: { 'onnxruntime-web': '1.30.0' },
    ceilings: { gflops: 8, gigabytesPerSecond: 10 },
    cases,
    plans: [],
    predictions: [],
    download: null,
    ratios: ratiosOf(cases),
    failures: [],
    ...more,
  };
}
