// Buffers: their running total, and what the user is told where there is no room for one.
import { afterEach, expect, test } from 'vitest';
import { openGpu } from '../../src/gpu/open';
import { Plan } from '../../src/gpu/plan';
import { readTensor } from '../gpu';
import { failure, fill } from './failure';

const { createBuffer } = GPUDevice.prototype;
afterEach(() => {
  GPUDevice.prototype.createBuffer = createBuffer;
});

test('every buffer is counted, freed ones no longer', async () => {
  const gpu = await openGpu();
  gpu.resetPeak(); // Opening has looked at the subgroups' layout.
  const a = gpu.upload(new Float32Array(1000), [1000], 'f32', 'a');
  const b = gpu.upload(new Uint16Array(7), [7], 'f16', 'b');
  expect(gpu.bytesInUse).toBe(4000 + 16);
  gpu.free(a);
  gpu.free(a);
  expect(gpu.bytesInUse).toBe(16);
  gpu.free(b);
  expect([gpu.bytesInUse, gpu.peakBytes]).toEqual([0, 4016]);
  const c = gpu.upload(new Float32Array(8), [8], 'f32', 'c');
  expect([gpu.bytesInUse, gpu.peakBytes]).toEqual([32, 4016]);
  gpu.resetPeak();
  gpu.free(c);
  expect([gpu.bytesInUse, gpu.peakBytes]).toEqual([0, 32]);
  gpu.dispose();
});

test('an allocation that the GPU refuses is told as out of memory, and everything is freed', async () => {
  const gpu = await openGpu();
  GPUDevice.prototype.createBuffer = function (descriptor) {
    if (!descriptor.label?.includes('arena')) return createBuffer.call(this, descriptor);
    // What a full GPU does: an invalid buffer, and an error in the scope.
    return createBuffer.call(this, { ...descriptor, size: 2 ** 52 });
  };
  const plan = new Plan(gpu, 'big');
  const out = plan.alloc([4096]);
  plan.call(fill, [out], [64, 1, 1], { value: 1 });
  const pushErrorScope = gpu.device.pushErrorScope.bind(gpu.device);
  gpu.device.pushErrorScope = (filter) => pushErrorScope(filter === 'out-of-memory' ? 'validation' : filter);
  const error = await failure(plan.compile());
  expect(error.code).toBe('out-of-memory');
  expect(error.message).toContain('big arena 0');
  expect(error.hint).toContain('fewer frames');
  expect(gpu.bytesInUse).toBe(0);
  gpu.dispose();
});

test('of plans that compile together, each is told that an allocation was refused, and not that a kernel is wrong', async () => {
  const gpu = await openGpu();
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const size = descriptor.label === 'first given' ? 2 ** 52 : descriptor.size;
    return createBuffer.call(this, { ...descriptor, size });
  };
  const pushErrorScope = gpu.device.pushErrorScope.bind(gpu.device);
  gpu.device.pushErrorScope = (filter) => pushErrorScope(filter === 'out-of-memory' ? 'validation' : filter);
  const plans = ['second', 'first'].map((label) => {
    const plan = new Plan(gpu, label);
    plan.call(fill, [plan.input([64], 'f32', 'given')], [1, 1, 1], { value: 1 });
    return plan;
  });
  const errors = await Promise.all(plans.map((plan) => failure(plan.compile())));
  expect(errors.map(({ code }) => code)).toEqual(['out-of-memory', 'out-of-memory']);
  expect(gpu.bytesInUse).toBe(0);
  await gpu.settled(); // What was freed is forgotten.
  gpu.dispose();
});

test('a result for which there is no room on the way back is out of memory, and no defect', async () => {
  const gpu = await openGpu();
  GPUDevice.prototype.createBuffer = function (descriptor) {
    // Invalid by its usage, not by its size: the browser makes memory of its own for one that can be mapped.
    const extra = descriptor.label === 'readback' ? GPUBufferUsage.STORAGE : 0;
    return createBuffer.call(this, { ...descriptor, usage: descriptor.usage | extra });
  };
  const pushErrorScope = gpu.device.pushErrorScope.bind(gpu.device);
  gpu.device.pushErrorScope = (filter) => pushErrorScope(filter === 'out-of-memory' ? 'validation' : filter);
  const tensor = gpu.upload(new Float32Array(4), [4], 'f32', 'result');
  const before = gpu.bytesInUse;
  const error = await failure(readTensor(gpu, tensor));
  expect(error.code).toBe('out-of-memory');
  expect(error.message).toContain('readback');
  expect(gpu.bytesInUse).toBe(before);
  await gpu.idle();
  gpu.check();
  gpu.dispose();
});

test('what is written to a buffer that found no room is refused for that, until the buffer is freed', async () => {
  const gpu = await openGpu();
  gpu.device.addEventListener('uncapturederror', (event) => event.preventDefault());
  const refused = new Promise((resolve) => gpu.device.addEventListener('uncapturederror', resolve));
  GPUDevice.prototype.createBuffer = function (descriptor) {
    return createBuffer.call(this, { ...descriptor, size: 2 ** 52 });
  };
  const pushErrorScope = gpu.device.pushErrorScope.bind(gpu.device);
  gpu.device.pushErrorScope = (filter) => pushErrorScope(filter === 'out-of-memory' ? 'validation' : filter);
  const tensor = gpu.empty([4], 'f32', 'flags');
  gpu.write(tensor, new Float32Array(4));
  await refused;
  const full = expect.objectContaining({ code: 'out-of-memory', message: expect.stringContaining('flags') });
  for (let i = 0; i < 2; i++) {
    expect(() => gpu.check()).toThrow(full);
    await expect(gpu.settled()).rejects.toEqual(full);
  }
  gpu.free(tensor);
  gpu.clearFailure();
  await gpu.settled();
  gpu.dispose();
});

test('a RangeError of a mapped allocation is out of memory too', async () => {
  const gpu = await openGpu();
  GPUDevice.prototype.createBuffer = () => {
    throw new RangeError('createBuffer failed, size is too large');
  };
  expect(() => gpu.upload(new Float32Array(4), [4], 'f32', 'weights')).toThrow(
    expect.objectContaining({ code: 'out-of-memory' }),
  );
  gpu.dispose();
});

test('a tensor beyond the binding limit is refused with the numbers', async () => {
  const gpu = await openGpu();
  const elements = gpu.device.limits.maxStorageBufferBindingSize / 4 + 4;
  expect(() => new Plan(gpu, 'huge').alloc([elements])).toThrow(expect.objectContaining({ code: 'limits' }));
  expect(() => gpu.empty([elements], 'f32', 'huge')).toThrow(expect.objectContaining({ code: 'limits' }));
  gpu.dispose();
});

test.for<[string, () => [Float32Array | Uint16Array, number[], 'f32' | 'f16'], string]>([
  ['the wrong array type', () => [new Float32Array(4), [4], 'f16'], 'f16 data must be a Uint16Array'],
  ['the wrong length', () => [new Float32Array(4), [5], 'f32'], '4 elements given, shape [5] has 5'],
])('an upload of %s is refused', async ([, given, message]) => {
  const gpu = await openGpu();
  expect(() => gpu.upload(...given(), 'bad')).toThrow(message);
  gpu.dispose();
});
