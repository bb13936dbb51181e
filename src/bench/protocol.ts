// What the bench page and its threads say to each other. No code that runs.
import type { ArmResult, CaseResult, Ceilings, Group, Machine, PlanResult, Prediction, TuningResult } from './result';

export const coldRuntimes = ['flipbook', 'onnxruntime-web'] as const;
export type ColdRuntime = (typeof coldRuntimes)[number];

/** One thread does one task and ends: whatever a peer leaves behind or breaks goes with it. */
export type Task =
  | { readonly kind: 'adapter' }
  | { readonly kind: 'tune'; readonly seconds?: number | undefined }
  | { readonly kind: 'group'; readonly group: Group; readonly quick: boolean }
  | { readonly kind: 'cold_start'; readonly runtime: ColdRuntime };

export interface TaskMessage {
  readonly task: Task;
  /** Folder of the model, with a slash at its end. */
  readonly modelUrl: string;
  /** See `Context`. */
  readonly large: boolean;
}

export type BenchEvent =
  | { readonly type: 'adapter'; readonly machine: Machine; readonly ceilings: Ceilings }
  | { readonly type: 'tuned'; readonly tuning: TuningResult }
  | { readonly type: 'counted'; readonly plans: readonly PlanResult[]; readonly predictions: readonly Prediction[] }
  | { readonly type: 'case'; readonly result: CaseResult }
  | { readonly type: 'cold'; readonly arm: ArmResult }
  | { readonly type: 'line'; readonly text: string }
  | { readonly type: 'failure'; readonly text: string }
  | { readonly type: 'end' };
