// A compiled Plan: encodes its dispatches, in slices short enough for watchdogs and for a quick cancel.
// It owns its arena, inputs and uniforms; weights belong to whoever uploaded them.
import type { Gpu } from './device';
import { throwIfAborted } from './errors';
import type { Grid } from './kernel';
import type { PlanStats } from './plan';
import { byteLength, halfToNumber, sizeOf, type Tensor } from './tensor';

export interface ProgramCall {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly grid: Grid;
  readonly flops: number;
  readonly bytes: number;
}

interface Compiled {
  readonly label: string;
  readonly calls: readonly ProgramCall[];
  readonly stats: PlanStats;
  readonly owned: readonly GPUBuffer[];
  readonly locate: (tensor: Tensor) => GPUBufferBinding;
  readonly readable: (tensor: Tensor) => boolean;
}

/**
 * What a submit is planned to run, in milliseconds, so that it stays under 100 where the estimates are a third too low: a
 * watchdog kills a device after about 2 s, and cancel waits for the submit.
 */
const sliceTarget = 75;

/** A slice counts as taking at least this: a clock that stands still must not make the adapter infinitely fast. Assumed. */
const leastMilliseconds = 0.05;

/** A slice that is busy for longer is not mostly overhead. Assumed. */
const longSlice = sliceTarget / 10;

export class Program {
  readonly gpu: Gpu;
  readonly label: string;
  readonly stats: PlanStats;
  readonly calls: readonly ProgramCall[];
  readonly #compiled: Compiled;
  /** Milliseconds that each call is believed to take, from the slices that were measured; NaN before. */
  readonly #milliseconds: Float64Array;
  #disposed = false;

  constructor(gpu: Gpu, compiled: Compiled) {
    this.gpu = gpu;
    this.label = compiled.label;
    this.stats = compiled.stats;
    this.calls = compiled.calls;
    this.#compiled = compiled;
    this.#milliseconds = new Float64Array(compiled.calls.length).fill(Number.NaN);
  }

  /** Dispatches in one run. */
  get length(): number {
    return this.calls.length;
  }

  /** Encodes the dispatches `from .. to`, in order, as one compute pass. */
  run(encoder: GPUCommandEncoder, from = 0, to = this.length, timestamps?: GPUComputePassTimestampWrites): void {
    if (this.#disposed) throw new Error(`${this.label} was disposed`);
    if (!(from >= 0 && from <= to && to <= this.length)) {
      throw new RangeError(`${this.label}: dispatches ${from} to ${to} of ${this.length}`);
    }
    const pass = encoder.beginComputePass({
      label: this.label,
      ...(timestamps && { timestampWrites: timestamps }),
    });
    let current: GPUComputePipeline | undefined;
    for (let i = from; i < to; i++) {
      const { pipeline, bindGroup, grid } = this.calls[i]!;
      if (pipeline !== current) pass.setPipeline(pipeline);
      current = pipeline;
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(...grid);
    }
    pass.end();
  }

  /**
   * Runs everything and waits for it. Each submit is measured and the next ones are cut to stay under 100 ms; a
   * dispatch that is longer by itself is a submit of its own. Aborting stops before the next submit, after the running one.
   * @throws FlipbookError 'cancelled', 'device-lost', 'out-of-memory' or 'shader'
   */
  async submit(signal?: AbortSignal): Promise<void> {
    let from = 0;
    while (from < this.length) {
      throwIfAborted(signal);
      this.gpu.check();
      const to = this.#sliceEnd(from);
      this.#learn(from, to, await this.gpu.time(this.label, (encoder) => this.run(encoder, from, to)));
      from = to;
    }
    throwIfAborted(signal);
    this.gpu.check();
  }

  /** Fetches a tensor: an input, a kept activation or one that the last call uses. f16 and u32 come as numbers. */
  async read(tensor: Tensor): Promise<Float32Array> {
    const bytes = await this.readBytes(tensor);
    if (tensor.dtype === 'f32') return new Float32Array(bytes);
    if (tensor.dtype === 'u32') return Float32Array.from(new Uint32Array(bytes));
    return Float32Array.from(new Uint16Array(bytes, 0, sizeOf(tensor.shape)), halfToNumber);
  }

  /** The bytes of a tensor as they lie in memory; see `read`. */
  async readBytes(tensor: Tensor): Promise<ArrayBuffer> {
    if (!this.#compiled.readable(tensor)) {
      throw new Error(
        `${this.label}: the tensor [${tensor.shape}] does not live to the end of the run; keep() it before compile`,
      );
    }
    const { buffer, offset } = this.#compiled.locate(tensor);
    return this.gpu.readBuffer(buffer, offset ?? 0, byteLength(tensor));
  }

  /** Frees the arena, the inputs and the uniforms. */
  dispose(): void {
    this.#disposed = true;
    for (const buffer of this.#compiled.owned) this.gpu.freeBuffer(buffer);
  }

  #sliceEnd(from: number): number {
    let total = this.#estimate(from);
    let to = from + 1;
    while (to < this.length && total + this.#estimate(to) <= sliceTarget) total += this.#estimate(to++);
    return to;
  }

  #estimate(call: number): number {
    const known = this.#milliseconds[call]!;
    return Number.isNaN(known) ? workOf(this.calls[call]!) * this.gpu.pace : known;
  }

  /** Shares the measured time of a slice out to its calls, and tells the GPU's pace to calls not yet measured. */
  #learn(from: number, to: number, milliseconds: number): void {
    const busy = Math.max(milliseconds, leastMilliseconds);
    let work = 0;
    let predicted = 0;
    for (let i = from; i < to; i++) {
      work += workOf(this.calls[i]!);
      predicted += this.#estimate(i);
    }
    for (let i = from; i < to; i++) {
      const seen = (this.#estimate(i) * busy) / predicted;
      const known = this.#milliseconds[i]!;
      this.#milliseconds[i] = Number.isNaN(known) ? seen : (known + seen) / 2;
    }
    // A short slice is mostly overhead, or memory instead of arithmetic: it tells nothing of other calls.
    if (busy > longSlice) this.gpu.pace = busy / work;
  }
}

/** FLOPs that a byte moved counts as. Assumed: it only matters until a call is measured. */
const workOfByte = 4;
/** Of a dispatch by itself. Assumed likewise. */
const workOfDispatch = 1e4;

/** Work in FLOPs. */
function workOf({ flops, bytes }: Pick<ProgramCall, 'flops' | 'bytes'>): number {
  return workOfDispatch + flops + workOfByte * bytes;
}
