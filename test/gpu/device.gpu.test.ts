// What goes wrong with a device, and what the user is told: no WebGPU, no adapter, small limits, no memory, a lost
// device, a refused command.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import type { Kernel } from '../../src/gpu/kernel';
import { openGpu } from '../../src/gpu/open';
import { Plan } from '../../src/gpu/plan';
import { readTensor } from '../gpu';

const fill: Kernel = {
  label: 'fill',
  access: ['write'],
  params: [['value', 'f32']],
  code: `
    struct Params { value: f32 }
    @group(0) @binding(0) var<storage, read_write> out: array<f32>;
    @group(0) @binding(1) var<uniform> params: Params;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { out[id.x] = params.value; }`,
};

async function failure(promise: Promise<unknown>): Promise<FlipbookError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(FlipbookError);
  expect((error as FlipbookError).hint).not.toBe('');
  return error as FlipbookError;
}

describe('opening', () => {
  const gpuProperty = Object.getOwnPropertyDescriptor(Navigator.prototype, 'gpu')!;
  const { requestAdapter } = GPU.prototype;
  const { requestDevice } = GPUAdapter.prototype;
  afterEach(() => {
    Object.defineProperty(Navigator.prototype, 'gpu', gpuProperty);
    GPU.prototype.requestAdapter = requestAdapter;
    GPUAdapter.prototype.requestDevice = requestDevice;
  });

  test('the adapter here is named and known as software or hardware', async () => {
    const gpu = await openGpu();
    expect(`${gpu.adapterInfo.vendor}${gpu.adapterInfo.architecture}${gpu.adapterInfo.description}`).not.toBe('');
    const { isSoftware } = gpu;
    expect(isSoftware).toBe(
      /swiftshader|llvmpipe/i.test(`${gpu.adapterInfo.architecture} ${gpu.adapterInfo.description}`),
    );
    gpu.dispose();
  });

  test('no WebGPU', async () => {
    Object.defineProperty(Navigator.prototype, 'gpu', { configurable: true, get: () => undefined });
    const error = await failure(openGpu());
    expect(error.code).toBe('no-webgpu');
    expect(error.hint).toContain('Chrome');
  });

  test('no adapter', async () => {
    GPU.prototype.requestAdapter = async () => null;
    expect((await failure(openGpu())).code).toBe('no-adapter');
  });

  test('an adapter that gives no device', async () => {
    GPUAdapter.prototype.requestDevice = () => Promise.reject(new DOMException('driver is blocked', 'OperationError'));
    const error = await failure(openGpu());
    expect(error.code).toBe('no-adapter');
    expect(error.message).toContain('driver is blocked');
  });
});

describe('memory', () => {
  const { createBuffer } = GPUDevice.prototype;
  afterEach(() => {
    GPUDevice.prototype.createBuffer = createBuffer;
  });

  test('every buffer is counted, freed ones no longer', async () => {
    const gpu = await openGpu();
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
});

describe('a device that goes away', () => {
  let gpu: Awaited<ReturnType<typeof openGpu>>;
  beforeEach(async () => {
    gpu = await openGpu();
  });

  async function program() {
    const plan = new Plan(gpu, 'lost');
    const out = plan.alloc([64]);
    plan.call(fill, [out], [1, 1, 1], { value: 2 });
    return { out, program: await plan.compile() };
  }

  test('submit and read tell device-lost', async () => {
    const { program: compiled, out } = await program();
    await compiled.submit();
    gpu.device.destroy();
    await gpu.lost;
    expect((await failure(compiled.submit())).code).toBe('device-lost');
    expect((await failure(compiled.read(out))).code).toBe('device-lost');
    expect(() => gpu.empty([4], 'f32', 'late')).toThrow(expect.objectContaining({ code: 'device-lost' }));
    compiled.dispose();
  });

  test('a browser that sees finished work with the next submit only is given one', async () => {
    const { queue } = gpu.device;
    const waiting: (() => void)[] = [];
    queue.onSubmittedWorkDone = () => new Promise((resolve) => waiting.push(() => resolve(undefined)));
    const submit = vi.spyOn(queue, 'submit').mockImplementation(() => {
      for (const resolve of waiting.splice(0)) resolve();
    });
    await gpu.idle();
    expect(submit).toHaveBeenCalledExactlyOnceWith([]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(submit).toHaveBeenCalledOnce(); // and no more once it has finished
  });

  test('lost in the middle of a submit', async () => {
    const { program: compiled } = await program();
    await compiled.submit();
    const { submit } = gpu.device.queue;
    gpu.device.queue.submit = (buffers) => {
      submit.call(gpu.device.queue, buffers);
      gpu.device.destroy();
    };
    expect((await failure(compiled.submit())).code).toBe('device-lost');
  });

  test('lost in the middle of a read', async () => {
    const { program: compiled, out } = await program();
    await compiled.submit();
    const read = failure(compiled.read(out));
    gpu.device.destroy();
    expect((await read).code).toBe('device-lost');
  });

  test('disposed in the middle of a submit', async () => {
    const { program: compiled } = await program();
    const submit = failure(compiled.submit());
    gpu.dispose();
    expect((await submit).code).toBe('device-lost');
  });

  test('lost while compiling', async () => {
    const plan = new Plan(gpu, 'compiling');
    plan.call(fill, [plan.alloc([64])], [1, 1, 1], { value: 2 });
    const compiled = plan.compile();
    gpu.device.destroy();
    expect((await failure(compiled)).code).toBe('device-lost');
  });

  test('a new device works after it', async () => {
    gpu.device.destroy();
    await gpu.lost;
    gpu = await openGpu();
    const { program: compiled, out } = await program();
    await compiled.submit();
    expect((await compiled.read(out))[63]).toBe(2);
    gpu.dispose();
  });

  /** A command that the GPU refuses. */
  function refused() {
    const buffer = gpu.device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST });
    const encoder = gpu.device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, buffer, 0, 16);
    return encoder.finish();
  }

  test('a command that the GPU refuses while a result is on its way spoils that, too', async () => {
    const { program: compiled, out } = await program();
    await compiled.submit();
    gpu.device.addEventListener('uncapturederror', (event) => event.preventDefault());
    const { submit } = gpu.device.queue;
    gpu.device.queue.submit = (buffers) => {
      submit.call(gpu.device.queue, [refused()]);
      submit.call(gpu.device.queue, buffers);
    };
    expect((await failure(compiled.read(out))).code).toBe('shader');
    gpu.dispose();
  });

  test('a command that the GPU refuses stops the next submit instead of leaving a black clip', async () => {
    const { program: compiled } = await program();
    gpu.device.addEventListener('uncapturederror', (event) => event.preventDefault());
    const told = new Promise((resolve) => gpu.device.addEventListener('uncapturederror', resolve));
    gpu.device.queue.submit([refused()]);
    await told;
    expect((await failure(compiled.submit())).code).toBe('shader');
    gpu.forgive();
    await compiled.submit();
    gpu.device.destroy();
    await gpu.lost;
    gpu.forgive();
    expect((await failure(compiled.submit())).code).toBe('device-lost');
    gpu.dispose();
  });
});
