// What a device keeps of a kernel that its driver refused. No GPU: a made-up device that compiles nothing.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Gpu } from '../../src/gpu/device';
import { fill } from './failure';

beforeEach(() => {
  vi.stubGlobal('GPUShaderStage', { COMPUTE: 4 });
  vi.stubGlobal('GPUOutOfMemoryError', class {});
});
afterEach(() => void vi.unstubAllGlobals());

function gpuWith(...features: string[]) {
  const device = Object.assign(new EventTarget(), {
    features: new Set(features),
    limits: {},
    lost: new Promise(() => undefined),
    pushErrorScope: () => undefined,
    popErrorScope: async () => null,
    createBindGroupLayout: () => ({}),
    createPipelineLayout: () => ({}),
    createShaderModule: () => ({ getCompilationInfo: async () => ({ messages: [] }) }),
    createComputePipelineAsync: () => Promise.reject(new Error('refused on purpose')),
  });
  const info = { vendor: 'v', architecture: '', device: '', description: '' } as GPUAdapterInfo;
  return new Gpu(device as unknown as GPUDevice, info);
}

test('a refused kernel is told of with the features that there were, until it is cleared', async () => {
  const gpu = gpuWith('subgroups', 'shader-f16');
  const { id } = gpu;
  await expect(gpu.pipeline(fill)).rejects.toMatchObject({ code: 'shader' });
  expect(gpu.doWithoutFeatures()).toBe(true);
  expect(gpu.refused).toBe(id);
  gpu.clearFailure();
  expect(gpu.refused).toBeUndefined();
});

test('a refused command is no refused kernel', () => {
  const gpu = gpuWith('subgroups');
  const refused = Object.assign(new Event('uncapturederror'), { error: { message: 'a copy onto itself' } });
  gpu.device.dispatchEvent(refused);
  expect(() => gpu.check()).toThrow('a copy onto itself');
  expect(gpu.doWithoutFeatures()).toBe(true);
  expect(gpu.refused).toBeUndefined();
});

test('where there are no optional features, it was not those', async () => {
  const gpu = gpuWith('timestamp-query');
  await expect(gpu.pipeline(fill)).rejects.toMatchObject({ code: 'shader' });
  expect(gpu.refused).toBeUndefined();
});
