// Plan and Program on the real device: recording rules, the arena under load, pipelines by source, slices and cancel.
import { describe, expect, test } from 'vitest';
import { openGpu } from '../../src/gpu/device';
import { FlipbookError } from '../../src/gpu/errors';
import { type Kernel, linearGrid } from '../../src/gpu/kernel';
import { Plan } from '../../src/gpu/plan';
import { reshape, type Tensor, view, virtualTensor } from '../../src/gpu/tensor';
import { expectClose, roundToHalf, runPlan, testGpu, upload } from '../gpu';
import { addTo, affine, scaleShift, size } from './kernels';

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
    program.write(x, new Float32Array(64));
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
    program.write(x, values(64));
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

describe('recording', () => {
  const dry = () => new Plan(null, 'dry');

  test('a dry run counts', () => {
    const plan = dry();
    const weight = virtualTensor([100], 'f16');
    const x = plan.input([1000]);
    const y = affine(plan, x, 1, 1);
    plan.call(addTo, [weight, y], [2, 1, 1], { count: 50 });
    expect(plan.stats).toEqual({
      dispatches: 2,
      flops: 2000,
      bytes: 8000 + 200 + 8000,
      arenaBytes: 4096,
      activationBytes: 4000,
      weightBytes: 200,
    });
  });

  test.for<[string, (plan: Plan) => void, string]>([
    [
      'too few arguments',
      (plan) => plan.call(scaleShift, [plan.input([4])], [1, 1, 1]),
      '1 arguments given, 2 expected',
    ],
    [
      'a missing parameter',
      (plan) => plan.call(addTo, [plan.input([4]), plan.input([4])], [1, 1, 1]),
      'no value for the parameter count',
    ],
    [
      'an unknown parameter',
      (plan) => plan.call(addTo, [plan.input([4]), plan.input([4])], [1, 1, 1], { count: 4, extra: 1 }),
      'no parameter extra',
    ],
    [
      'a negative u32',
      (plan) => plan.call(addTo, [plan.input([4]), plan.input([4])], [1, 1, 1], { count: -1 }),
      'count is -1',
    ],
    [
      'a grid too long',
      (plan) => plan.call(addTo, [plan.input([4]), plan.input([4])], [65536, 1, 1], { count: 4 }),
      'grid [65536,1,1]',
    ],
    [
      'a fractional grid',
      (plan) => plan.call(addTo, [plan.input([4]), plan.input([4])], [1.5, 1, 1], { count: 4 }),
      'grid [1.5,1,1]',
    ],
    ['a read before any write', (plan) => affine(plan, plan.alloc([4]), 1, 1), 'nothing has written yet'],
    [
      'an output that is its own input',
      (plan) => {
        const x = affine(plan, plan.input([4]), 1, 1);
        plan.call(addTo, [x, x], [1, 1, 1], { count: 4 });
      },
      'arguments 1 and 0 share',
    ],
    [
      "another plan's activation",
      (plan) => affine(plan, affine(dry(), plan.input([4]), 1, 1), 1, 1),
      'belongs to another plan',
    ],
    ['a shape with a zero', (plan) => void plan.alloc([4, 0]), 'expected positive integers'],
  ])('%s is refused', ([, record, message]) => {
    expect(() => record(dry())).toThrow(message);
  });

  test('reading and writing one buffer in a call is refused', async () => {
    const gpu = await testGpu();
    const plan = new Plan(gpu, 'alias');
    const x = plan.input([128]);
    expect(() => plan.call(addTo, [view(x, [64], 0), view(x, [64], 64)], [1, 1, 1], { count: 64 })).toThrow(
      'share the buffer',
    );
    plan.dispose();
  });

  test('a plan that is given up frees its inputs', async () => {
    const gpu = await testGpu();
    const before = gpu.bytesInUse;
    const plan = new Plan(gpu, 'given up');
    plan.input([1000]);
    expect(gpu.bytesInUse).toBe(before + 4000);
    plan.dispose();
    expect(gpu.bytesInUse).toBe(before);
    await expect(plan.compile()).rejects.toThrow('compiled already');
  });
});

describe('compiling', () => {
  test('pipelines are shared by source, across plans and concurrent compiles', async () => {
    const gpu = await openGpu();
    const build = () => {
      const plan = new Plan(gpu, 'shared');
      affine(plan, affine(plan, plan.input([64]), 1, 1), 2, 2);
      return plan.compile();
    };
    const original = gpu.device.createComputePipelineAsync.bind(gpu.device);
    let compiles = 0;
    gpu.device.createComputePipelineAsync = (descriptor) => {
      compiles++;
      return original(descriptor);
    };
    await Promise.all([build(), build()]);
    await build();
    expect(compiles).toBe(1);
    expect(gpu.pipelineCount).toBe(1);
    gpu.dispose();
  });

  test('progress counts distinct pipelines', async () => {
    const gpu = await openGpu();
    const plan = new Plan(gpu, 'progress');
    const y = affine(plan, affine(plan, plan.input([64]), 1, 1), 2, 2);
    plan.call(addTo, [plan.input([64]), y], [1, 1, 1], { count: 64 });
    const seen: [number, number][] = [];
    await plan.compile(undefined, (done, total) => seen.push([done, total]));
    expect(seen).toEqual([
      [1, 2],
      [2, 2],
    ]);
    gpu.dispose();
  });

  test('a shader error tells line, column and source', async () => {
    const gpu = await testGpu();
    const bad: Kernel = {
      label: 'bad',
      access: ['write'],
      params: [],
      code: '@group(0) @binding(0) var<storage, read_write> out: array<f32>;\n@compute @workgroup_size(1) fn main() {\n  out[0] = nonsense;\n}',
    };
    const plan = new Plan(gpu, 'bad');
    const before = gpu.bytesInUse;
    plan.call(bad, [plan.input([4])], [1, 1, 1]);
    const error = await plan.compile().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FlipbookError);
    expect((error as FlipbookError).code).toBe('shader');
    expect((error as FlipbookError).message).toContain('bad');
    expect((error as FlipbookError).message).toMatch(/3:12 .*nonsense/);
    expect((error as FlipbookError).message).toContain('  out[0] = nonsense;');
    expect(gpu.bytesInUse).toBe(before);
    gpu.check();
  });

  test('an aborted compile frees what it took', async () => {
    const gpu = await testGpu();
    const before = gpu.bytesInUse;
    const plan = new Plan(gpu, 'aborted');
    affine(plan, plan.input([4096]), 1, 1);
    await expect(plan.compile(AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    expect(gpu.bytesInUse).toBe(before);
  });

  test('dispose gives every byte back', async () => {
    const gpu = await testGpu();
    const before = gpu.bytesInUse;
    const plan = new Plan(gpu, 'bytes');
    affine(plan, affine(plan, plan.input([4096]), 1, 1), 1, 1);
    const program = await plan.compile();
    expect(gpu.bytesInUse).toBeGreaterThanOrEqual(before + 3 * 16384);
    expect(gpu.peakBytes).toBeGreaterThanOrEqual(gpu.bytesInUse);
    program.dispose();
    expect(gpu.bytesInUse).toBe(before);
    expect(() => program.run(gpu.device.createCommandEncoder())).toThrow('disposed');
  });
});
