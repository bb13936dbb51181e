// Program on a GPU of known speed: slices that adapt, cancel between them; and the profile.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Gpu, openGpu } from '../../src/gpu/device';
import { Plan } from '../../src/gpu/plan';
import { profile } from '../../src/gpu/profile';
import type { Tensor } from '../../src/gpu/tensor';
import { testGpu } from '../gpu';
import { affine, spin } from './kernels';

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
    program.write(x, new Float32Array(64));
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
