// Finds the graphics adapter and opens its device, or says why there is none. What a device can do is device.ts's.
import { Gpu } from './device';
import { FlipbookError } from './errors';

/** Limits by their WebGPU names, such as `maxStorageBufferBindingSize`. */
export type Limits = Readonly<Partial<Record<Exclude<keyof GPUSupportedLimits, '__brand'>, number>>>;

/**
 * Opens the adapter with the optional features it has and the limits that are asked for; nothing more.
 * @throws FlipbookError 'no-webgpu', 'no-adapter', or 'limits' with the numbers
 */
export async function openGpu(needs: Limits = {}): Promise<Gpu> {
  const api = globalThis.navigator?.gpu as globalThis.GPU | undefined;
  if (!api) throw new FlipbookError('no-webgpu', 'This browser has no WebGPU');
  const adapter = await api.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new FlipbookError('no-adapter', 'WebGPU found no graphics adapter');
  const requiredLimits = checkLimits(adapter, needs);
  const wanted = ['shader-f16', 'subgroups', 'timestamp-query'] as const;
  try {
    const device = await adapter.requestDevice({
      label: 'flipbook',
      requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
      requiredLimits,
    });
    const gpu = new Gpu(device, adapter.info);
    await gpu.recall();
    return gpu;
  } catch (cause) {
    throw new FlipbookError('no-adapter', `The graphics adapter gave no device: ${messageOf(cause)}`, { cause });
  }
}

function checkLimits(adapter: GPUAdapter, needs: Limits): Record<string, number> {
  const required: Record<string, number> = {};
  const missing: string[] = [];
  for (const [name, needed] of Object.entries(needs)) {
    if (needed === undefined) continue;
    const has = adapter.limits[name as keyof Limits] as number | undefined;
    if (has === undefined) throw new TypeError(`${name} is not a WebGPU limit`);
    // "min" limits are alignments: there, smaller is better.
    const enough = name.startsWith('min') ? has <= needed : has >= needed;
    if (!enough) missing.push(`${name} is ${has}, needed ${needed}`);
    required[name] = needed;
  }
  if (missing.length > 0) throw new FlipbookError('limits', `The graphics adapter is too small: ${missing.join('; ')}`);
  return required;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
