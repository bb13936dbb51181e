// The device that all arms share, with the most that its adapter gives, and counters of what each arm asks of it.
import type { Gpu } from '../../gpu/device';
import { FlipbookError } from '../../gpu/errors';
import { nudged } from '../../gpu/nudge';
import { findAdapter, optionalFeatures, readyGpu } from '../../gpu/open';

/** What the peers raise to the adapter's own limits when they open a device themselves. */
const raised = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/** The engine asks for less; the bench opens more so that no peer is held back. */
export async function openSharedDevice(): Promise<{ readonly device: GPUDevice; readonly info: GPUAdapterInfo }> {
  const adapter = await findAdapter();
  if (!adapter) throw new FlipbookError('no-adapter', 'This browser gives no WebGPU adapter');
  const device = await adapter.requestDevice({
    label: 'bench',
    requiredFeatures: optionalFeatures.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(raised.map((name) => [name, adapter.limits[name]])),
  });
  return { device, info: adapter.info };
}

/** For our arms, too. It runs kernels of ours, which a peer's cold start must not pay for. */
export async function openSharedGpu(): Promise<Gpu> {
  const { device, info } = await openSharedDevice();
  return readyGpu(device, info);
}

/** Waits for everything submitted so far: the smallest possible result comes back to the CPU. Nudged, as the engine's waits are. */
export class Readback {
  readonly #device: GPUDevice;
  readonly #source: GPUBuffer;
  readonly #staging: GPUBuffer;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#source = device.createBuffer({ label: 'readback', size: 16, usage: GPUBufferUsage.COPY_SRC });
    this.#staging = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  }

  async wait(): Promise<void> {
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#source, 0, this.#staging, 0, 16);
    this.#device.queue.submit([encoder.finish()]);
    await nudged(this.#device.queue, this.#staging.mapAsync(GPUMapMode.READ));
    this.#staging.unmap();
  }
}

/** Dispatches and buffers of every device in this thread, whoever asks for them. */
export class Counters {
  dispatches = 0;
  bytes = 0;
  peakBytes = 0;
  readonly #sizes = new WeakMap<GPUBuffer, number>();

  /** Counts from now on, until the thread ends. @throws FlipbookError 'no-webgpu' */
  constructor() {
    if (!globalThis.GPUDevice) throw new FlipbookError('no-webgpu', 'This browser has no WebGPU');
    const { dispatchWorkgroups, dispatchWorkgroupsIndirect } = GPUComputePassEncoder.prototype;
    const { createBuffer } = GPUDevice.prototype;
    const { destroy } = GPUBuffer.prototype;
    const { add, remove, count } = this.#actions();
    GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...grid) {
      count();
      return dispatchWorkgroups.apply(this, grid);
    };
    GPUComputePassEncoder.prototype.dispatchWorkgroupsIndirect = function (...place) {
      count();
      return dispatchWorkgroupsIndirect.apply(this, place);
    };
    GPUDevice.prototype.createBuffer = function (descriptor) {
      const buffer = createBuffer.call(this, descriptor);
      add(buffer, descriptor.size);
      return buffer;
    };
    GPUBuffer.prototype.destroy = function () {
      remove(this);
      return destroy.call(this);
    };
  }

  #actions() {
    const sizes = this.#sizes;
    // A buffer that is dropped without destroy is freed when the collector finds it.
    const dropped = new FinalizationRegistry<number>((size) => {
      this.bytes -= size;
    });
    return {
      count: () => {
        this.dispatches++;
      },
      add: (buffer: GPUBuffer, size: number) => {
        sizes.set(buffer, size);
        dropped.register(buffer, size, buffer);
        this.bytes += size;
        this.peakBytes = Math.max(this.peakBytes, this.bytes);
      },
      remove: (buffer: GPUBuffer) => {
        const size = sizes.get(buffer);
        if (size === undefined) return;
        sizes.delete(buffer);
        dropped.unregister(buffer);
        this.bytes -= size;
      },
    };
  }
}
