// Program on the real device: the arena under load, reading back; slices that adapt, cancel between them; and the profile.
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Gpu } from '../../src/gpu/device';
import { linearGrid } from '../../src/gpu/kernel';
import { openGpu } from '../../src/gpu/open';
import { Plan } from '../../src/gpu/plan';
import { profile } from '../../src/gpu/profile';
import { reshape, type Tensor, view } from '../../src/gpu/tensor';
import { expectClose, roundToHalf, runPlan, testGpu, upload } from '../gpu';
import { addTo, affine, size, spin } from './kernels';

const values = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i));

describe('running', () => {
  test('a chain of calls, with reuse of memory between them', async () => {
    const x = values(1000);
    let stats = { arenaBytes: 0, activationBytes: 0 };
    const [result] = await runPlan((plan) => {
      let y: Tensor = plan.f32([1000], x);
      for (let i = 0; i < 10; i++) y = affine(plan, y, 0.5, 1);
      stats = plan.stats;
      return y;
    });
    let expected = Float64Array.from(x);
    for (let i = 0; i < 10; i++) expected = expected.map((value) => value * 0.5 + 1);
    expectClose(result!, expected, 1e-6);
    expect(stats.activationBytes).toBe(10 * 4000);
    expect(stats.arenaBytes).toBe(2 * 4096);
  });

  test('a value that is used again much later survives', async () => {
    const [result] = await runPlan((plan) => {
      const skip = affine(plan, plan.f32([100], values(100)), 2, 0);
      let y = skip;
      for (let i = 0; i < 6; i++) y = affine(plan, y, 0, i);
      plan.call(addTo, [skip, y], [2, 1, 1], { count: 100 });
      return y;
    });
    expectClose(
      result!,
      values(100).map((value) => value * 2 + 5),
      1e-6,
    );
  });

  test('kept activations can all be read, others refuse', async () => {
    const gpu = await testGpu();
    const plan = new Plan(gpu, 'keep');
    const x = plan.input([64]);
    const first = affine(plan, x, 1, 1);
    const second = affine(plan, first, 1, 1);
    const third = affine(plan, second, 1, 1);
    plan.keep(first);
    const program = await plan.compile();
    gpu.write(x, new Float32Array(64));
    await program.submit();
    expect((await program.read(first))[7]).toBe(1);
    expect((await program.read(second))[7]).toBe(2);
    expect((await program.read(third))[7]).toBe(3);
    program.dispose();
    const other = new Plan(gpu, 'lost');
    const a = affine(other, other.input([64]), 1, 1);
    affine(other, affine(other, a, 1, 1), 1, 1);
    const lost = await other.compile();
    await expect(lost.read(a)).rejects.toThrow('keep() it');
    lost.dispose();
  });

  test('views and reshapes share memory', async () => {
    const [result] = await runPlan((plan) => {
      const x = affine(plan, plan.f32([2, 64], values(128)), 1, 0);
      return affine(plan, reshape(view(x, [64], 64), [8, 8]), 10, 0);
    });
    expectClose(
      result!,
      values(128)
        .slice(64)
        .map((value) => value * 10),
      1e-6,
    );
  });

  test('f16 tensors round trip, odd lengths too', async () => {
    const gpu = await testGpu();
    const plan = new Plan(gpu, 'half');
    const x = values(7);
    const half = upload(gpu, [7], x, 'f16');
    const noop = affine(plan, plan.input([4]), 1, 0);
    const program = await plan.compile();
    expectClose(await program.read(half), roundToHalf(x), 0);
    expect(noop.shape).toEqual([4]);
    program.dispose();
    gpu.free(half);
  });

  test('more workgroups than one axis holds', async () => {
    const count = 65535 * size + 5;
    const grid = linearGrid(count, size);
    expect(grid[1]).toBe(2);
    const gpu = await testGpu();
    const plan = new Plan(gpu, 'long');
    const out = affine(plan, plan.input([count]), 0, 3);
    const program = await plan.compile();
    await program.submit();
    const result = await program.read(out);
    program.dispose();
    expect([result[0], result[65535 * size - 1], result[count - 1]]).toEqual([3, 3, 3]);
  });

  test('slices of a run give what the whole gives', async () => {
    const gpu = await testGpu();
    const plan = new Plan(gpu, 'sliced');
    const x = plan.input([64]);
    let y: Tensor = x;
    for (let i = 0; i < 5; i++) y = affine(plan, y, 2, 1);
    const program = await plan.compile();
    gpu.write(x, values(64));
    expect(program.length).toBe(5);
    for (const [from, to] of [
      [0, 2],
      [2, 2],
      [2, 5],
    ] as const) {
      const encoder = gpu.device.createCommandEncoder();
      program.run(encoder, from, to);
      gpu.device.queue.submit([encoder.finish()]);
    }
    expectClose(
      await program.read(y),
      values(64).map((value) => value * 32 + 31),
      1e-6,
    );
    expect(() => program.run(gpu.device.createCommandEncoder(), 3, 6)).toThrow(RangeError);
    program.dispose();
  });
});

describe('slices', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** A GPU of known speed: the clock stands still but for `cost(dispatch)` milliseconds of every dispatch submitted. */
  function fakeClock(gpu: Gpu, cost: (dispatch: number) => number) {
    let now = 0;
    let encoded = 0;
    let dispatch = 0;
    const slices: { dispatches: number; milliseconds: number }[] = [];
    const dispatchWorkgroups = GPUComputePassEncoder.prototype.dispatchWorkgroups;
    vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups').mockImplementation(function (
      this: GPUComputePassEncoder,
      ...grid
    ) {
      encoded++;
      dispatchWorkgroups.apply(this, grid);
    });
    const submit = gpu.device.queue.submit.bind(gpu.device.queue);
    vi.spyOn(gpu.device.queue, 'submit').mockImplementation((buffers) => {
      submit(buffers);
      let milliseconds = 0;
      for (let i = 0; i < encoded; i++) milliseconds += cost(dispatch++);
      if (encoded > 0) slices.push({ dispatches: encoded, milliseconds });
      now += milliseconds;
      encoded = 0;
    });
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    return {
      /** The slices since the last call. */
      take: () => {
        dispatch = 0;
        return slices.splice(0);
      },
    };
  }

  async function chain(gpu: Gpu, calls: number) {
    const plan = new Plan(gpu, 'chain');
    const x = plan.input([64]);
    let y: Tensor = x;
    for (let i = 0; i < calls; i++) y = affine(plan, y, 1, 1);
    const program = await plan.compile();
    gpu.write(x, new Float32Array(64));
    return { program, y };
  }

  test.for<[string, (dispatch: number) => number]>([
    ['even calls', () => 3],
    ['calls that grow', (i) => i / 20],
    ['a slow one among fast ones', (i) => (i === 70 ? 250 : 0.5)],
    ['all of them slow', () => 180],
  ])('%s: after the first runs no submit is longer than 100 ms, unless by one call', async ([, cost]) => {
    const gpu = await openGpu();
    const { program, y } = await chain(gpu, 120);
    const clock = fakeClock(gpu, cost);
    for (let run = 0; run < 8; run++) {
      clock.take();
      await program.submit();
    }
    const slices = clock.take();
    const total = slices.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    expect(slices.reduce((sum, { dispatches }) => sum + dispatches, 0)).toBe(120);
    for (const { dispatches, milliseconds } of slices) {
      if (dispatches > 1) expect(milliseconds).toBeLessThanOrEqual(100);
    }
    // Nor much shorter: submits cost too.
    const longest = Math.max(...Array.from({ length: 120 }, (_, i) => cost(i)));
    if (longest < 50) expect(slices.length).toBeLessThanOrEqual(Math.ceil(total / 50));
    vi.restoreAllMocks();
    expect((await program.read(y))[5]).toBe(120);
    gpu.dispose();
  });

  test('a GPU that is fast gets one submit', async () => {
    const gpu = await openGpu();
    const { program } = await chain(gpu, 120);
    const clock = fakeClock(gpu, () => 0.1);
    for (let run = 0; run < 3; run++) {
      clock.take();
      await program.submit();
    }
    expect(clock.take()).toHaveLength(1);
    gpu.dispose();
  });

  test('a slice too short to measure says nothing of other calls', async () => {
    const gpu = await openGpu();
    const { program } = await chain(gpu, 1);
    const { pace } = gpu;
    fakeClock(gpu, () => 0);
    await program.submit();
    expect(gpu.pace).toBe(pace);
    gpu.dispose();
  });

  test('a GPU that is slower than believed is found out by the first submit', async () => {
    const gpu = await openGpu();
    gpu.pace = 1e-12;
    const { program } = await chain(gpu, 120);
    const clock = fakeClock(gpu, () => 10);
    await program.submit();
    clock.take();
    await program.submit();
    for (const { milliseconds } of clock.take()) expect(milliseconds).toBeLessThanOrEqual(100);
    // And the next program starts with what the first one learned.
    const { program: second } = await chain(gpu, 120);
    await second.submit();
    for (const { milliseconds } of clock.take()) expect(milliseconds).toBeLessThanOrEqual(100);
    gpu.dispose();
  });

  test('abort stops after the running slice, and the GPU stays usable', async () => {
    const gpu = await openGpu();
    const { program, y } = await chain(gpu, 40);
    const clock = fakeClock(gpu, () => 60);
    await program.submit();
    clock.take();
    const controller = new AbortController();
    const onSubmittedWorkDone = gpu.device.queue.onSubmittedWorkDone.bind(gpu.device.queue);
    let waits = 0;
    vi.spyOn(gpu.device.queue, 'onSubmittedWorkDone').mockImplementation(() => {
      if (++waits === 3) controller.abort();
      return onSubmittedWorkDone();
    });
    await expect(program.submit(controller.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(clock.take()).toHaveLength(3);
    await program.submit();
    vi.restoreAllMocks();
    expect((await program.read(y))[5]).toBe(40);
    gpu.dispose();
  });

  test('a signal that is already aborted submits nothing', async () => {
    const gpu = await openGpu();
    const { program } = await chain(gpu, 4);
    const clock = fakeClock(gpu, () => 1);
    await expect(program.submit(AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    expect(clock.take()).toEqual([]);
    gpu.dispose();
  });
});

describe('measuring', () => {
  test('a profile accounts for every dispatch', async () => {
    const gpu = await testGpu();
    const plan = new Plan(gpu, 'profile');
    const out = plan.alloc([512]);
    plan.call(spin, [plan.input([512]), out], [8, 1, 1], { rounds: 50_000 }, { flops: 512 * 3 * 50_000 });
    affine(plan, affine(plan, out, 1, 1), 1, 1);
    const program = await plan.compile();
    const times = await profile(program);
    expect(times.map(({ label, calls }) => [label, calls])).toEqual([
      ['spin', 1],
      ['scaleShift', 2],
    ]);
    expect(times[0]!.milliseconds).toBeGreaterThan(0);
    expect(times[0]!.gflops).toBeGreaterThan(0);
    program.dispose();
  });
});
