// What goes wrong with a device, and what the user is told: no WebGPU, no adapter, a lost device, a refused command.
// No memory: memory.gpu.test.ts.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openGpu } from '../../src/gpu/open';
import { Plan } from '../../src/gpu/plan';
import { rememberRefusal } from '../../src/gpu/remembered';
import { failure, fill } from './failure';

describe('opening', () => {
  const gpuProperty = Object.getOwnPropertyDescriptor(Navigator.prototype, 'gpu')!;
  const { requestAdapter } = GPU.prototype;
  const { requestDevice } = GPUAdapter.prototype;
  const { createShaderModule } = GPUDevice.prototype;
  afterEach(async () => {
    await caches.delete('flipbook-tuning');
    GPUDevice.prototype.createShaderModule = createShaderModule;
    Object.defineProperty(Navigator.prototype, 'gpu', gpuProperty);
    GPU.prototype.requestAdapter = requestAdapter;
    GPUAdapter.prototype.requestDevice = requestDevice;
  });

  test('the adapter here is named', async () => {
    const gpu = await openGpu();
    expect(`${gpu.adapterInfo.vendor}${gpu.adapterInfo.architecture}${gpu.adapterInfo.description}`).not.toBe('');
    gpu.dispose();
  });

  test('subgroups are used where their threads are consecutive, and not where any other thread comes next', async () => {
    const right = await openGpu();
    expect(right.features.subgroups).toBe(true);
    expect(right.bytesInUse, 'what was looked at is freed').toBe(0);
    let changed = 0;
    GPUDevice.prototype.createShaderModule = function (descriptor) {
      const code = descriptor.code.replace('vec2u(id,', 'vec2u(id ^ 1u,');
      if (code !== descriptor.code) changed++;
      return createShaderModule.call(this, { ...descriptor, code });
    };
    const wrong = await openGpu();
    expect(changed).toBe(3); // workgroups of 64, 128 and 256 threads
    expect(wrong.features).toEqual({ ...right.features, subgroups: false });
    right.dispose();
    wrong.dispose();
  });

  test('a driver that refuses kernels with features, and takes those without, is opened without them from then on', async () => {
    const gpu = await openGpu();
    expect(gpu.features.subgroups).toBe(true);
    const featuresOfTheNext = async () => {
      const next = await openGpu();
      next.dispose();
      return next.features;
    };
    gpu.device.createComputePipelineAsync = () => Promise.reject(new Error('refused on purpose'));
    expect((await failure(gpu.pipeline(fill))).code).toBe('shader');
    const { refused } = gpu;
    expect(refused).toBe(gpu.id);
    expect(gpu.doWithoutFeatures()).toBe(true);
    expect(await featuresOfTheNext()).toMatchObject({ subgroups: true }); // It may not have been the features.
    await rememberRefusal(refused!);
    expect(await featuresOfTheNext()).toMatchObject({ f16: false, subgroups: false });
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
    await gpu.idle(); // The encoder's error is told first, then the submit's.
    expect((await failure(compiled.submit())).code).toBe('shader');
    expect(gpu.refused).toBeUndefined(); // It was no kernel.
    gpu.clearFailure();
    await compiled.submit();
    gpu.device.destroy();
    await gpu.lost;
    gpu.clearFailure();
    expect((await failure(compiled.submit())).code).toBe('device-lost');
    gpu.dispose();
  });
});
