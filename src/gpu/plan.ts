// Records the kernel calls of a model for one set of shapes, and compiles them into a Program.
// It runs nothing; without a GPU it still counts (a dry run).
import { Activations } from './activations';
import type { Gpu } from './device';
import { cancelled, FlipbookError, throwIfAborted } from './errors';
import { type Grid, type Kernel, maxGroups, packParams } from './kernel';
import { pipelineKey } from './pipelines';
import { Program, type ProgramCall } from './program';
import type { OnProgress } from './progress';
import { alignTo, bindingBytes, byteLength, checkShape, type DType, type Tensor, virtualTensor } from './tensor';

export interface PlanStats {
  readonly dispatches: number;
  /** Floating-point operations of one run, as the ops declare them. */
  readonly flops: number;
  /** Bytes that the calls read and write, each argument once per call. */
  readonly bytes: number;
  readonly arenaBytes: number;
  /** What the activations would take without reuse. */
  readonly activationBytes: number;
  /** What is alive of them at the fullest moment: no arena can be smaller. */
  readonly liveBytes: number;
  /** Bytes of the tensors used that belong neither to the arena nor to the plan's inputs. */
  readonly weightBytes: number;
}

interface Call {
  readonly kernel: Kernel;
  readonly args: readonly Tensor[];
  readonly grid: Grid;
  readonly params: Uint32Array<ArrayBuffer>;
  readonly flops: number;
  readonly bytes: number;
}

export class Plan {
  readonly gpu: Gpu | null;
  readonly label: string;
  readonly #calls: Call[] = [];
  readonly #activations: Activations;
  readonly #inputs: Tensor[] = [];
  readonly #weights = new Map<GPUBuffer | Tensor, number>();
  #compiled = false;

  /** Without a GPU the plan is a dry run: statistics only. */
  constructor(gpu: Gpu | null, label: string) {
    this.gpu = gpu;
    this.label = label;
    const limits = gpu?.device.limits;
    const largest = limits
      ? Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize)
      : Number.POSITIVE_INFINITY;
    this.#activations = new Activations(label, largest);
  }

  /** An activation. It shares memory with others: it holds its value from its first write to its last use. */
  alloc(shape: readonly number[], dtype: DType = 'f32'): Tensor {
    this.#checkOpen('an activation');
    this.#checkTensor(shape, dtype);
    return this.#activations.add(shape, dtype);
  }

  /**
   * A tensor with a buffer of its own: written by the CPU between runs, or a result that outlives the run. The Program
   * owns it.
   */
  input(shape: readonly number[], dtype: DType = 'f32', label = 'input'): Tensor {
    this.#checkOpen(label);
    this.#checkTensor(shape, dtype);
    const tensor = this.gpu?.empty(shape, dtype, `${this.label} ${label}`) ?? virtualTensor(shape, dtype);
    this.#inputs.push(tensor);
    return tensor;
  }

  /** Keeps an activation's value to the end of the run, so that `Program.read` may fetch it. */
  keep(tensor: Tensor): void {
    this.#checkOpen('keep()');
    if (tensor.storage.kind === 'arena') this.#activations.keep(tensor.storage.slot);
  }

  /**
   * Records one dispatch.
   * @param args one per `kernel.access`; nothing that the call writes may share memory with another argument
   * @param grid workgroups along x, y, z
   */
  call(
    kernel: Kernel,
    args: readonly Tensor[],
    grid: Grid,
    params: Readonly<Record<string, number>> = {},
    cost: { readonly flops: number } = { flops: 0 },
  ): void {
    this.#checkOpen(kernel.label);
    if (args.length !== kernel.access.length) {
      throw new TypeError(`${kernel.label}: ${args.length} arguments given, ${kernel.access.length} expected`);
    }
    if (!grid.every((groups) => Number.isInteger(groups) && groups >= 1 && groups <= maxGroups)) {
      throw new RangeError(`${kernel.label}: grid [${grid}], expected whole numbers from 1 to ${maxGroups}`);
    }
    const words = packParams(kernel, params);
    this.#checkAliases(kernel, args);
    const index = this.#calls.length;
    let bytes = 0;
    const counted = new Set<Tensor>(); // a fused projection is bound as queries, keys and values, and read once
    args.forEach((tensor, i) => {
      const access = kernel.access[i]!;
      if (!counted.has(tensor)) bytes += byteLength(tensor) * (access === 'readWrite' ? 2 : 1);
      counted.add(tensor);
      this.#use(kernel, tensor, access !== 'write', index);
    });
    this.#calls.push({ kernel, args, grid, params: words, flops: cost.flops, bytes });
  }

  /** Frees the inputs of a plan that will not be compiled. After `compile` they belong to the Program. */
  dispose(): void {
    if (!this.#compiled) for (const buffer of this.#inputBuffers()) this.gpu?.freeBuffer(buffer);
    this.#compiled = true;
  }

  get stats(): PlanStats {
    const sum = (of: (call: Call) => number) => this.#calls.reduce((total, call) => total + of(call), 0);
    return {
      dispatches: this.#calls.length,
      flops: sum((call) => call.flops),
      bytes: sum((call) => call.bytes),
      arenaBytes: this.#activations.bankBytes.reduce((total, bytes) => total + bytes, 0),
      activationBytes: this.#activations.totalBytes,
      liveBytes: this.#activations.liveBytes,
      weightBytes: [...this.#weights.values()].reduce((total, bytes) => total + bytes, 0),
    };
  }

  /**
   * Builds pipelines in parallel, allocates the arena and makes every bind group. On failure everything that the plan
   * allocated is freed.
   * @param onProgress pipelines that are ready, of all distinct ones
   * @throws FlipbookError 'shader', 'out-of-memory', 'limits', 'device-lost' or 'cancelled'
   */
  async compile(signal?: AbortSignal, onProgress?: OnProgress): Promise<Program> {
    const { gpu } = this;
    if (!gpu) throw new Error(`${this.label}: a dry run cannot be compiled`);
    if (this.#compiled) throw new Error(`${this.label}: it is compiled already`);
    this.#compiled = true;
    const owned = this.#inputBuffers();
    try {
      throwIfAborted(signal);
      const pipelines = await this.#pipelines(gpu, signal, onProgress);
      const banks = this.#activations.bankBytes.map((bytes, i) => {
        const bank = gpu.createBuffer(
          bytes,
          GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
          `${this.label} arena ${i}`,
        );
        owned.push(bank);
        return bank;
      });
      const locate = (tensor: Tensor): GPUBufferBinding => {
        const { storage } = tensor;
        if (storage.kind === 'none') throw new TypeError(`${this.label}: a tensor of a dry run has no memory`);
        if (storage.kind === 'buffer') {
          return { buffer: storage.buffer, offset: storage.offset, size: bindingBytes(tensor) };
        }
        const { bank, offset } = this.#activations.placement(storage.slot);
        return { buffer: banks[bank]!, offset: offset + storage.offset, size: bindingBytes(tensor) };
      };
      const uniforms = this.#uniforms(gpu, owned);
      // First the memory: bind groups of an invalid buffer would blame the kernels.
      await gpu.settled();
      const calls = await this.#bind(gpu, pipelines, locate, uniforms);
      throwIfAborted(signal);
      const readable = ({ storage }: Tensor) => storage.kind !== 'arena' || this.#activations.livesToEnd(storage.slot);
      return new Program(gpu, { label: this.label, calls, stats: this.stats, owned, locate, readable });
    } catch (error) {
      for (const buffer of owned) gpu.freeBuffer(buffer);
      throw error;
    }
  }

  /** @throws Error once the plan is compiled: memory is laid out by then, and a later call or tensor would have none */
  #checkOpen(what: string): void {
    if (this.#compiled) throw new Error(`${this.label}: it is compiled, ${what} comes too late`);
  }

  #inputBuffers(): GPUBuffer[] {
    return this.#inputs.flatMap(({ storage }) => (storage.kind === 'buffer' ? [storage.buffer] : []));
  }

  async #pipelines(
    gpu: Gpu,
    signal: AbortSignal | undefined,
    onProgress: OnProgress | undefined,
  ): Promise<Map<string, GPUComputePipeline>> {
    const kernels = new Map(this.#calls.map(({ kernel }) => [pipelineKey(kernel), kernel]));
    const pipelines = new Map<string, GPUComputePipeline>();
    const stopped = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(cancelled(signal)), { once: true });
    });
    stopped.catch(() => undefined);
    onProgress?.(0, kernels.size); // at once: who adds up several plans knows the sum before the first pipeline is ready
    const all = Promise.all(
      [...kernels].map(async ([key, kernel]) => {
        pipelines.set(key, await gpu.pipeline(kernel));
        onProgress?.(pipelines.size, kernels.size);
      }),
    );
    await Promise.race([all, stopped]);
    return pipelines;
  }

  async #bind(
    gpu: Gpu,
    pipelines: ReadonlyMap<string, GPUComputePipeline>,
    locate: (tensor: Tensor) => GPUBufferBinding,
    uniforms: readonly (GPUBufferBinding | undefined)[],
  ): Promise<ProgramCall[]> {
    gpu.device.pushErrorScope('validation');
    const calls = this.#calls.map(({ kernel, args, grid, flops, bytes }, i): ProgramCall => {
      const entries: GPUBindGroupEntry[] = args.map((tensor, binding) => ({ binding, resource: locate(tensor) }));
      const uniform = uniforms[i];
      if (uniform) entries.push({ binding: kernel.access.length, resource: uniform });
      const bindGroup = gpu.device.createBindGroup({
        label: kernel.label,
        layout: gpu.bindGroupLayout(kernel),
        entries,
      });
      return { label: kernel.label, pipeline: pipelines.get(pipelineKey(kernel))!, bindGroup, grid, flops, bytes };
    });
    const error = await gpu.device.popErrorScope();
    if (error) throw new FlipbookError('shader', `${this.label} cannot be bound: ${error.message}`);
    return calls;
  }

  /** All uniforms of the plan in one buffer, equal ones once; they never change. */
  #uniforms(gpu: Gpu, owned: GPUBuffer[]): (GPUBufferBinding | undefined)[] {
    const align = gpu.device.limits.minUniformBufferOffsetAlignment;
    const offsets = new Map<string, number>();
    let end = 0;
    for (const { params } of this.#calls) {
      const key = params.join();
      if (params.length === 0 || offsets.has(key)) continue;
      offsets.set(key, end);
      end = alignTo(end + params.byteLength, align);
    }
    if (end === 0) return [];
    const data = new Uint32Array(end / 4);
    for (const { params } of this.#calls) {
      if (params.length > 0) data.set(params, offsets.get(params.join())! / 4);
    }
    const buffer = gpu.createBuffer(end, GPUBufferUsage.UNIFORM, `${this.label} uniforms`, data);
    owned.push(buffer);
    return this.#calls.map(({ params }) =>
      params.length === 0
        ? undefined
        : { buffer, offset: offsets.get(params.join())!, size: alignTo(params.byteLength, 16) },
    );
  }

  #use(kernel: Kernel, tensor: Tensor, reads: boolean, call: number): void {
    const { storage } = tensor;
    if (storage.kind === 'arena') {
      this.#activations.use(storage.slot, { reads, call, by: kernel.label });
      return;
    }
    const isInput = this.#inputs.some((input) =>
      storage.kind === 'buffer'
        ? input.storage.kind === 'buffer' && input.storage.buffer === storage.buffer
        : input === tensor,
    );
    if (isInput) return;
    if (storage.kind === 'buffer') this.#weights.set(storage.buffer, storage.buffer.size);
    else this.#weights.set(tensor, byteLength(tensor));
  }

  /** WebGPU allows no buffer that one dispatch both reads (read-only) and writes, nor overlapping writes. */
  #checkAliases(kernel: Kernel, args: readonly Tensor[]): void {
    args.forEach((a, i) => {
      if (kernel.access[i] === 'read') return;
      args.forEach((b, j) => {
        if (i === j || a.storage.kind === 'none' || b.storage.kind === 'none') return;
        if (a.storage.kind === 'arena' && b.storage.kind === 'arena') {
          const [x, y] = [a.storage.slot, b.storage.slot];
          if (x === y) throw new Error(`${kernel.label}: arguments ${i} and ${j} share ${x.label}, and one is written`);
          if (kernel.access[j] === 'read') this.#activations.separate(x, y);
        } else if (
          a.storage.kind === 'buffer' &&
          b.storage.kind === 'buffer' &&
          a.storage.buffer === b.storage.buffer
        ) {
          throw new Error(
            `${kernel.label}: arguments ${i} and ${j} share the buffer ${a.storage.buffer.label}, and one is written`,
          );
        }
      });
    });
  }

  #checkTensor(shape: readonly number[], dtype: DType): void {
    checkShape(shape);
    const most = this.gpu?.device.limits.maxStorageBufferBindingSize ?? Number.POSITIVE_INFINITY;
    const bytes = bindingBytes({ shape, dtype });
    if (bytes > most) {
      throw new FlipbookError(
        'limits',
        `${this.label}: a tensor [${shape}] needs ${bytes} bytes, this GPU binds at most ${most}`,
      );
    }
  }
}
