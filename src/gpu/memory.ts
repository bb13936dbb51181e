// All buffers of a device: their running total, and whether each allocation worked. It knows no tensors.
import { FlipbookError } from './errors';
import { alignTo } from './tensor';

export class Memory {
  readonly #device: GPUDevice;
  readonly #buffers = new Map<GPUBuffer, number>();
  /** Outcomes of allocations that are not known yet: why one did not work, undefined where it did. */
  readonly #checks = new Map<GPUBuffer, Promise<FlipbookError | undefined>>();
  /** Allocations that did not work, until their buffers are freed. */
  readonly #failures = new Map<GPUBuffer, FlipbookError>();
  #bytes = 0;
  #peak = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  get bytesInUse(): number {
    return this.#bytes;
  }

  get peakBytes(): number {
    return this.#peak;
  }

  /** The first allocation that is known to have failed and whose buffer is not freed yet. */
  get failure(): FlipbookError | undefined {
    return this.#failures.values().next().value;
  }

  resetPeak(): void {
    this.#peak = this.#bytes;
  }

  /** See `Gpu.createBuffer`. */
  create(size: number, usage: GPUBufferUsageFlags, label: string, data?: ArrayBufferView): GPUBuffer {
    const device = this.#device;
    const bytes = Math.max(16, alignTo(size, 16));
    const most = device.limits.maxBufferSize;
    if (bytes > most) {
      throw new FlipbookError(
        'limits',
        `${label} needs ${megabytes(bytes)}, this GPU allows ${megabytes(most)} in one buffer`,
      );
    }
    const before = this.#bytes; // known to have found room, or asked for earlier
    const outOfMemory = (cause: unknown) =>
      new FlipbookError(
        'out-of-memory',
        `The GPU has no room for ${label}: ${megabytes(bytes)} on top of ${megabytes(before)}`,
        { cause },
      );
    device.pushErrorScope('out-of-memory');
    let buffer: GPUBuffer;
    try {
      buffer = device.createBuffer({ label, size: bytes, usage, mappedAtCreation: data !== undefined });
      if (data) {
        new Uint8Array(buffer.getMappedRange()).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        buffer.unmap();
      }
    } catch (cause) {
      void device.popErrorScope().catch(() => null);
      // Mapping at creation throws RangeError where the memory is not there.
      throw cause instanceof RangeError ? outOfMemory(cause) : cause;
    }
    this.#buffers.set(buffer, bytes);
    const check = device.popErrorScope().then(
      (error) => this.#known(buffer, error ? outOfMemory(error) : undefined),
      () => this.#known(buffer, undefined), // The device is lost, which is told elsewhere.
    );
    this.#checks.set(buffer, check);
    this.#bytes += bytes;
    this.#peak = Math.max(this.#peak, this.#bytes);
    return buffer;
  }

  free(buffer: GPUBuffer): void {
    const bytes = this.#buffers.get(buffer);
    if (bytes === undefined) return;
    this.#buffers.delete(buffer);
    this.#checks.delete(buffer);
    this.#failures.delete(buffer);
    this.#bytes -= bytes;
    buffer.destroy();
  }

  freeAll(): void {
    for (const buffer of [...this.#buffers.keys()]) this.free(buffer);
  }

  /** Resolves when every allocation so far is known to have worked. Each of several callers is told of one that did not. */
  async settled(): Promise<void> {
    const errors = await Promise.all(this.#checks.values());
    const error = errors.find((found) => found !== undefined) ?? this.failure;
    if (error) throw error;
  }

  #known(buffer: GPUBuffer, error: FlipbookError | undefined): FlipbookError | undefined {
    this.#checks.delete(buffer);
    if (error && this.#buffers.has(buffer)) this.#failures.set(buffer, error);
    return error;
  }
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
