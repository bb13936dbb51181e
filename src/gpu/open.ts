// Finds the graphics adapter and opens its device, or says why there is none. What a device can do is device.ts's.
import { Gpu } from './device';
import { FlipbookError, messageOf } from './errors';

/**
 * Opens the adapter with the optional features it has, and the limits that every WebGPU device has: they hold the longest clip.
 * @throws FlipbookError 'no-webgpu' or 'no-adapter'
 */
export async function openGpu(): Promise<Gpu> {
  const api = globalThis.navigator?.gpu as globalThis.GPU | undefined;
  if (!api) throw new FlipbookError('no-webgpu', 'This browser has no WebGPU');
  const adapter = await api.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new FlipbookError('no-adapter', 'WebGPU found no graphics adapter');
  const wanted = ['shader-f16', 'subgroups', 'timestamp-query'] as const;
  try {
    const device = await adapter.requestDevice({
      label: 'flipbook',
      requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    });
    const gpu = new Gpu(device, adapter.info);
    await gpu.recall();
    return gpu;
  } catch (cause) {
    throw new FlipbookError('no-adapter', `The graphics adapter gave no device: ${messageOf(cause)}`, { cause });
  }
}
