// Finds the graphics adapter and opens its device, or says why there is none. What a device does is device.ts's.
import { Gpu } from './device';
import { FlipbookError, messageOf } from './errors';
import { hasConsecutiveSubgroups } from './subgroup-layout';

/** Used where the adapter has them. */
export const optionalFeatures: readonly GPUFeatureName[] = ['shader-f16', 'subgroups', 'timestamp-query'];

/** The adapter that all devices here are of: null where there is none, undefined without WebGPU. */
export async function findAdapter(): Promise<GPUAdapter | null | undefined> {
  const api = globalThis.navigator?.gpu as globalThis.GPU | undefined;
  return api?.requestAdapter({ powerPreference: 'high-performance' });
}

/**
 * Opens the adapter with the optional features it has, and the limits that every WebGPU device has: they hold the longest clip.
 * @throws FlipbookError 'no-webgpu' or 'no-adapter'
 */
export async function openGpu(): Promise<Gpu> {
  const adapter = await findAdapter();
  if (adapter === undefined) throw new FlipbookError('no-webgpu', 'This browser has no WebGPU');
  if (adapter === null) throw new FlipbookError('no-adapter', 'WebGPU found no graphics adapter');
  try {
    const device = await adapter.requestDevice({
      label: 'flipbook',
      requiredFeatures: optionalFeatures.filter((feature) => adapter.features.has(feature)),
    });
    return await readyGpu(device, adapter.info);
  } catch (cause) {
    throw new FlipbookError('no-adapter', `The graphics adapter gave no device: ${messageOf(cause)}`, { cause });
  }
}

/** A device with the features that can be relied on, and what is remembered of its adapter. Both are found out at the same time. */
export async function readyGpu(device: GPUDevice, info: GPUAdapterInfo): Promise<Gpu> {
  const gpu = new Gpu(device, info);
  const consecutive = gpu.features.subgroups ? hasConsecutiveSubgroups(gpu) : true;
  await gpu.recall();
  if (await consecutive) return gpu;
  console.info('Subgroups are not used: their threads are not consecutive, or it cannot be told');
  gpu.features = { ...gpu.features, subgroups: false };
  await gpu.recall(); // What is remembered goes by features.
  return gpu;
}
