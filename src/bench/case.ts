// What a case of the bench is: one computation, a reference for it, and the arms that compute it. No case by itself.
import type { Gpu } from '../gpu/device';
import type { KernelTime } from '../gpu/profile';
import type { ArmKind, Cost, Group, Runtime } from './result';
import type { Jax } from './runtimes/jax';
import type { Ort } from './runtimes/ort';
import type { Tfjs } from './runtimes/tfjs';

/** An arm, ready to run: its weights and inputs are on the device, its shaders may not be compiled yet. */
export interface Prepared {
  /** Hands one run to the device; need not wait for it. */
  run(): void | Promise<void>;
  /** Waits for all runs so far. */
  wait(): Promise<void>;
  /** The result of the last run in the reference's layout. */
  output(): Promise<Float32Array>;
  dispose(): void;
}

export interface Arm {
  readonly runtime: Runtime;
  readonly kind: ArmKind;
  readonly how: string;
  prepare(): Promise<Prepared>;
}

export interface BenchCase {
  readonly group: Group;
  readonly name: string;
  readonly source: string;
  readonly cost: Cost;
  /** Largest relative error that still counts as the same computation. */
  readonly tolerance: number;
  reference(): Promise<ArrayLike<number>>;
  readonly arms: readonly Arm[];
  /** Where the time of our arm goes, of programs of many kernels. */
  profile?(): Promise<KernelTime[]>;
}

/** What arms run on. Peers are loaded when the first arm asks for them; a peer that cannot load fails that arm. */
export interface Context {
  readonly gpu: Gpu;
  /** Kernels are timed on the larger shapes of each group. */
  readonly large: boolean;
  ort(): Promise<Ort>;
  tfjs(): Promise<Tfjs>;
  jax(): Promise<Jax>;
}
