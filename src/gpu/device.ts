// The GPU: one device, its buffers with their running total, and its pipelines by source. open.ts finds it.
// It records and runs no kernels: that is Plan and Program.
import { Choices } from './choices';
import { FlipbookError } from './errors';
import { Failures } from './failures';
import type { Kernel } from './kernel';
import { Memory, megabytes } from './memory';
import { PipelineCache } from './pipelines';
import { adapterId, recallChoices, recallRefusal } from './remembered';
import { isSoftwareAdapter } from './software';
import { alignTo, bindingBytes, byteLength, checkShape, type DType, sizeOf, type Tensor } from './tensor';

export interface Features {
  readonly f16: boolean;
  readonly subgroups: boolean;
  readonly timestamps: boolean;
}

export type Elements = Float32Array | Uint16Array | Uint32Array;

/** Buffers of tensors: kernels use them, the CPU writes them, tests and checks read them. */
const tensorUsage = () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;

export class Gpu {
  readonly device: GPUDevice;
  readonly adapterInfo: GPUAdapterInfo;
  features: Features;
  /** See isSoftwareAdapter: kernels without workgroup barriers are the faster ones there. */
  readonly isSoftware: boolean;
  readonly lost: Promise<GPUDeviceLostInfo>;
  /** Which variants of kernels are used; the defaults until `recall`. */
  choices = new Choices();
  /** How fast this adapter was seen to be, in milliseconds per unit of `Program` work; shared by all programs. */
  pace: number;
  /** Milliseconds that an empty submit takes to be reported as done; 0 until the first `time`. */
  latency = 0;

  readonly #pipelines: PipelineCache;
  readonly #memory: Memory;
  readonly #failures: Failures;
  #refused: string | undefined;
  #disposed = false;

  constructor(device: GPUDevice, info: GPUAdapterInfo) {
    this.device = device;
    this.adapterInfo = info;
    this.features = {
      f16: device.features.has('shader-f16'),
      subgroups: device.features.has('subgroups'),
      timestamps: device.features.has('timestamp-query'),
    };
    this.isSoftware = isSoftwareAdapter(info);
    // Pessimistic, so that a first submit is short: about 2 GFLOP/s in software, 50 on a GPU.
    this.pace = this.isSoftware ? 1 / 2e6 : 1 / 5e7;
    this.lost = device.lost;
    this.#memory = new Memory(device);
    this.#pipelines = new PipelineCache(device);
    this.#failures = new Failures(device);
  }

  /** Bytes of all buffers that were made here and not freed. */
  get bytesInUse(): number {
    return this.#memory.bytesInUse;
  }

  /** The most that `bytesInUse` was since `resetPeak`. */
  get peakBytes(): number {
    return this.#memory.peakBytes;
  }

  resetPeak(): void {
    this.#memory.resetPeak();
  }

  /** As far as the browser tells it, for people to read. */
  get adapterName(): string {
    const { description, device, architecture, vendor } = this.adapterInfo;
    return description || device || [vendor, architecture].filter(Boolean).join(' ') || 'GPU';
  }

  /** What this adapter is remembered by. */
  get id(): string {
    return adapterId(this.adapterInfo, { ...this.features });
  }

  /**
   * Uses the variants of kernels that were measured as the fastest on this adapter, if they ever were, and no optional feature
   * where this browser refused kernels that have them.
   */
  async recall(): Promise<void> {
    if (await recallRefusal(this.id)) this.#dropFeatures();
    this.choices = await recallChoices(this.id);
  }

  /** Compiled once per source; concurrent requests for one source are one compile. */
  async pipeline(kernel: Kernel): Promise<GPUComputePipeline> {
    const { id, features } = this;
    try {
      return await this.#pipelines.get(kernel);
    } catch (error) {
      const isRefused = error instanceof FlipbookError && error.code === 'shader';
      if (isRefused && (features.f16 || features.subgroups)) this.#refused = id;
      throw error;
    }
  }

  /** The `id` with which a kernel was refused, where it has optional features. */
  get refused(): string | undefined {
    return this.#refused;
  }

  bindGroupLayout(kernel: Pick<Kernel, 'access' | 'params'>): GPUBindGroupLayout {
    return this.#pipelines.bindGroupLayout(kernel);
  }

  /** Pipelines compiled so far, for tests. */
  get pipelineCount(): number {
    return this.#pipelines.size;
  }

  /**
   * A buffer in the running total. Out of memory is only known later: await `settled()` before relying on it.
   * @param size bytes, rounded up to 16
   */
  createBuffer(size: number, usage: GPUBufferUsageFlags, label: string, data?: ArrayBufferView): GPUBuffer {
    this.check();
    if (this.#disposed) throw new Error(`createBuffer ${label}: the GPU was disposed`);
    return this.#memory.create(size, usage, label, data);
  }

  freeBuffer(buffer: GPUBuffer): void {
    this.#memory.free(buffer);
  }

  /**
   * Resolves when every allocation so far is known to have worked.
   * @throws FlipbookError 'out-of-memory' where one did not, and as `check`
   */
  async settled(): Promise<void> {
    await this.#memory.settled();
    this.check();
  }

  /**
   * Throws the first unreported failure: lost device, then a failed allocation still held, then a refused command. Writes to a
   * buffer that found no room are refused too; that is no defect.
   * @throws FlipbookError 'device-lost', 'out-of-memory' or 'shader'
   */
  check(): void {
    const { first, isLost } = this.#failures;
    const failure = isLost ? first : (this.#memory.failure ?? first);
    if (failure) throw failure;
  }

  /** Forgets a refused command or kernel, before work that it does not concern. A lost device stays lost. */
  clearFailure(): void {
    this.#refused = undefined;
    this.#failures.clear();
  }

  /** Kernels recorded from now on use no optional feature. @returns whether they did so far */
  doWithoutFeatures(): boolean {
    const { f16, subgroups } = this.features;
    this.#dropFeatures();
    this.choices = new Choices(); // They were measured with those.
    return f16 || subgroups;
  }

  #dropFeatures(): void {
    this.features = { ...this.features, f16: false, subgroups: false };
  }

  /** A tensor of its own, to be freed with `free`. f16 is given as its bit patterns. */
  upload(data: Elements, shape: readonly number[], dtype: DType, label: string): Tensor {
    checkElements(data, shape, dtype, label);
    this.#checkBinding(shape, dtype, label);
    const buffer = this.createBuffer(bindingBytes({ shape, dtype }), tensorUsage(), label, data);
    return { shape, dtype, storage: { kind: 'buffer', buffer, offset: 0 } };
  }

  /** An uninitialised (zeroed) tensor of its own, to be freed with `free`. */
  empty(shape: readonly number[], dtype: DType, label: string): Tensor {
    checkShape(shape);
    this.#checkBinding(shape, dtype, label);
    const buffer = this.createBuffer(bindingBytes({ shape, dtype }), tensorUsage(), label);
    return { shape, dtype, storage: { kind: 'buffer', buffer, offset: 0 } };
  }

  /** Frees the buffer of a tensor from `upload` or `empty`, and with it every view of it. */
  free(tensor: Tensor): void {
    if (tensor.storage.kind === 'buffer') this.freeBuffer(tensor.storage.buffer);
  }

  /** Writes a whole tensor, before whatever is submitted next. */
  write(tensor: Tensor, data: Elements): void {
    checkElements(data, tensor.shape, tensor.dtype, 'write');
    const { storage } = tensor;
    if (storage.kind !== 'buffer')
      throw new TypeError('write: the tensor has no buffer of its own; make it with input()');
    const bytes = byteLength(tensor);
    let source = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    if (source.byteLength !== bytes) {
      const padded = new Uint8Array(bytes);
      padded.set(source);
      source = padded;
    }
    this.device.queue.writeBuffer(storage.buffer, storage.offset, source);
  }

  /** Copies bytes of a buffer back to the CPU. For small results, checks and tests: it waits for the GPU. */
  async readBuffer(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    const size = alignTo(bytes, 4);
    const staging = this.createBuffer(size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST, 'readback');
    try {
      await this.settled(); // A copy to a buffer that found no room would be refused, which looks like a defect.
      this.submit('readback', (encoder) => encoder.copyBufferToBuffer(buffer, offset, staging, 0, size));
      await this.#failures.orLost(staging.mapAsync(GPUMapMode.READ, 0, size));
      this.check();
      return staging.getMappedRange(0, size).slice(0, bytes);
    } finally {
      this.freeBuffer(staging);
    }
  }

  /** Submits what `encode` encodes. A refusal stops what is submitted next, as `check` says. */
  submit(label: string, encode: (encoder: GPUCommandEncoder) => void): void {
    this.#failures.watched(() => this.device.queue.submit([this.#encoded(label, encode)]));
  }

  /**
   * Submits likewise, and waits for it.
   * @returns milliseconds that the GPU was busy. What an empty submit takes is the browser's, not the kernels'; a coarse clock may
   * show nothing at all, which must not make a kernel infinitely fast.
   * @throws FlipbookError 'device-lost'
   */
  async time(label: string, encode: (encoder: GPUCommandEncoder) => void): Promise<number> {
    await this.#measureLatency();
    const start = this.#failures.watched(() => {
      const commands = this.#encoded(label, encode);
      const now = performance.now();
      this.device.queue.submit([commands]);
      return now;
    });
    await this.idle();
    const elapsed = performance.now() - start;
    return Math.max(elapsed - this.latency, elapsed / 10);
  }

  #encoded(label: string, encode: (encoder: GPUCommandEncoder) => void): GPUCommandBuffer {
    const encoder = this.device.createCommandEncoder({ label });
    encode(encoder);
    return encoder.finish();
  }

  /**
   * Waits until the GPU has done everything submitted so far.
   * @throws FlipbookError 'device-lost'
   */
  async idle(): Promise<void> {
    await this.#failures.orLost(this.device.queue.onSubmittedWorkDone());
  }

  async #measureLatency(): Promise<void> {
    if (this.latency > 0) return;
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const start = performance.now();
      this.device.queue.submit([]);
      await this.idle();
      times.push(performance.now() - start);
    }
    this.latency = Math.max(0.01, Math.min(...times));
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#failures.ignoreLoss();
    this.#memory.freeAll();
    this.device.destroy();
  }

  #checkBinding(shape: readonly number[], dtype: DType, label: string): void {
    const bytes = bindingBytes({ shape, dtype });
    const most = this.device.limits.maxStorageBufferBindingSize;
    if (bytes <= most) return;
    throw new FlipbookError(
      'limits',
      `${label} [${shape}] needs ${megabytes(bytes)}, this GPU allows ${megabytes(most)} in one binding`,
    );
  }
}

function checkElements(data: Elements, shape: readonly number[], dtype: DType, label: string): void {
  checkShape(shape);
  const kind = dtype === 'f32' ? Float32Array : dtype === 'f16' ? Uint16Array : Uint32Array;
  if (!(data instanceof kind)) throw new TypeError(`${label}: ${dtype} data must be a ${kind.name}`);
  if (data.length !== sizeOf(shape)) {
    throw new TypeError(`${label}: ${data.length} elements given, shape [${shape}] has ${sizeOf(shape)}`);
  }
}
