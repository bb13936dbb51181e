// What a run of the bench gives, as JSON, and the ratios that sum it up. It measures and prints nothing.
import type { PlanStats } from '../gpu/plan';
import type { KernelTime } from '../gpu/profile';
import { geometricMean, type Timing } from './statistics';

/** In the order in which they run. */
export const groups = [
  'conv3d',
  'temporal_attention',
  'spatial_attention',
  'group_norm_silu',
  'linear',
  'other_kernels',
  'denoiser_step',
  'decode',
  'frames',
  'cold_start',
] as const;
export type Group = (typeof groups)[number];

export type Runtime = 'flipbook' | 'onnxruntime-web' | 'tfjs' | 'jax-js' | 'onnxruntime-web wasm';

/** `record`: timed, but in no ratio (the CPU). */
export type ArmKind = 'ours' | 'as written' | 'strongest rewrite' | 'record';

export interface ArmResult {
  readonly runtime: Runtime;
  readonly kind: ArmKind;
  /** How this arm computes the case, in a few words. */
  readonly how: string;
  /** Of one run. */
  readonly milliseconds?: Timing;
  /** Preparation and first run, less one run: shaders, weights, graph optimisation. */
  readonly compileMilliseconds?: number;
  /** Largest difference from the reference, over its largest magnitude. */
  readonly error?: number;
  readonly dispatches?: number;
  /** Most bytes in GPU buffers at once; where it was measured alone. */
  readonly peakGpuBytes?: number;
  /** Bytes of the weights as they lie in GPU memory, nearly all of them f16; of our arm where memory is compared. */
  readonly weightBytes?: number;
  /** Why there is no time, in the arm's own words. */
  readonly failure?: string;
}

export interface Cost {
  readonly flops: number;
  /** Inputs, weights and outputs, each once. */
  readonly bytes: number;
}

export interface CaseResult {
  readonly group: Group;
  readonly name: string;
  /** Whose shape this is. */
  readonly source: string;
  readonly cost: Cost;
  /** Of the group `frames`. */
  readonly frames?: number;
  readonly steps?: number;
  readonly arms: readonly ArmResult[];
  /** Of our arm, each dispatch run by itself; kernels with one label are one entry, slowest first. */
  readonly profile?: readonly KernelTime[];
}

export interface Ceilings {
  /** 1e9 floating-point operations per second of independent fused multiply-adds, f32. */
  readonly gflops: number;
  /** 1e9 bytes per second read and written by a copy kernel. */
  readonly gigabytesPerSecond: number;
}

/** How kernels were tuned for this adapter before the run, if they were. */
export interface TuningResult {
  readonly milliseconds: number;
  /** Milliseconds that it may take. */
  readonly budget: number;
  /** Kernels with a choice, how many of them were measured in time, and how many got another variant than the default. */
  readonly problems: number;
  readonly measured: number;
  readonly changed: number;
  /** Whether the browser keeps it for the page. */
  readonly remembered: boolean;
}

/** A program that the page runs for a clip with its defaults: its work and its memory, counted and not measured. */
export interface PlanResult extends PlanStats {
  readonly part: 'prompt' | 'picture' | 'clip' | 'preview' | 'decode';
  readonly name: string;
  /** How often one clip runs it; 0: it is there to compare with. */
  readonly runs: number;
}

export interface Prediction {
  readonly adapter: string;
  readonly assumptions: string;
  readonly pictureMilliseconds: number;
  readonly stepMilliseconds: number;
  readonly decodeMilliseconds: number;
  readonly clipSeconds: number;
}

export interface Machine {
  readonly adapter: string;
  readonly isSoftware: boolean;
  readonly features: readonly string[];
  readonly userAgent: string;
  readonly threads: number;
}

export interface Download {
  /** Bytes after gzip, without weights. */
  readonly engine: number;
  readonly page: number;
  readonly onnxruntime: number;
}

export const ratioNames = [
  'conv3d_vs_as_written',
  'conv3d_vs_strongest_rewrite',
  'temporal_attention',
  'spatial_attention',
  'group_norm_silu',
  'linear',
  'denoiser_step_vs_ort',
  'decode_vs_ort',
  'cold_start_vs_ort',
  'peak_gpu_bytes_vs_ort',
] as const;
export type RatioName = (typeof ratioNames)[number];
export type Ratios = Readonly<Record<RatioName, number | null>>;

export interface BenchResult {
  readonly schema: 1;
  readonly date: string;
  readonly seconds: number;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly ceilings: Ceilings | null;
  readonly tuning?: TuningResult;
  readonly cases: readonly CaseResult[];
  readonly plans: readonly PlanResult[];
  readonly predictions: readonly Prediction[];
  readonly download: Download | null;
  /** Ours over the fastest peer of the kind that the name says; more than 1 means that we are faster (or smaller). Null: nothing to compare. */
  readonly ratios: Ratios;
  /** What did not run, group by group. */
  readonly failures: readonly string[];
}

/** The fastest arm that has a time, among those that `wanted` accepts. */
export function fastest(arms: readonly ArmResult[], wanted: (arm: ArmResult) => boolean): ArmResult | undefined {
  return arms
    .filter((arm) => arm.milliseconds && wanted(arm))
    .reduce<ArmResult | undefined>(
      (best, arm) => (best && best.milliseconds!.median <= arm.milliseconds!.median ? best : arm),
      undefined,
    );
}

const isPeer = ({ kind }: ArmResult): boolean => kind === 'as written' || kind === 'strongest rewrite';

/** The fastest peer's time over ours; undefined where one of them has none. */
export function speedup(result: CaseResult, wanted: (arm: ArmResult) => boolean = isPeer): number | undefined {
  const ours = fastest(result.arms, ({ kind }) => kind === 'ours')?.milliseconds?.median;
  const theirs = fastest(result.arms, (arm) => isPeer(arm) && wanted(arm))?.milliseconds?.median;
  return ours && theirs ? theirs / ours : undefined;
}

/** Geometric means over the cases of a group that have both sides. */
export function ratiosOf(cases: readonly CaseResult[]): Ratios {
  const mean = (group: Group, of: (result: CaseResult) => number | undefined): number | null => {
    const values = cases.filter((result) => result.group === group).map(of);
    return geometricMean(values.filter((value) => value !== undefined)) ?? null;
  };
  const fromOrt = (arm: ArmResult): boolean => arm.runtime === 'onnxruntime-web';
  return {
    conv3d_vs_as_written: mean('conv3d', (result) => speedup(result, ({ kind }) => kind === 'as written')),
    conv3d_vs_strongest_rewrite: mean('conv3d', (result) =>
      speedup(result, ({ kind }) => kind === 'strongest rewrite'),
    ),
    temporal_attention: mean('temporal_attention', (result) => speedup(result)),
    spatial_attention: mean('spatial_attention', (result) => speedup(result)),
    group_norm_silu: mean('group_norm_silu', (result) => speedup(result)),
    linear: mean('linear', (result) => speedup(result)),
    denoiser_step_vs_ort: mean('denoiser_step', (result) => speedup(result, fromOrt)),
    decode_vs_ort: mean('decode', (result) => speedup(result, fromOrt)),
    cold_start_vs_ort: mean('cold_start', (result) => speedup(result, fromOrt)),
    peak_gpu_bytes_vs_ort: mean('cold_start', ({ arms }) => {
      const ours = arms.find(({ kind }) => kind === 'ours')?.peakGpuBytes;
      const theirs = arms.find(fromOrt)?.peakGpuBytes;
      return ours && theirs ? theirs / ours : undefined;
    }),
  };
}

/** The least time that the ceilings allow, in milliseconds: arithmetic or memory, whichever is longer. */
export function limitMilliseconds({ flops, bytes }: Cost, { gflops, gigabytesPerSecond }: Ceilings): number {
  return Math.max(flops / gflops, bytes / gigabytesPerSecond) / 1e6;
}
