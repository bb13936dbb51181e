// Plan on the real device: recording rules, pipelines by source, shader errors, cancel.
import { describe, expect, test } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import type { Kernel } from '../../src/gpu/kernel';
import { openGpu } from '../../src/gpu/open';
import { Plan } from '../../src/gpu/plan';
import { view, virtualTensor } from '../../src/gpu/tensor';
import { testGpu } from '../gpu';
import { addTo, affine, scaleShift } from './kernels';

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
      liveBytes: 4000,
      weightBytes: 200,
    });
  });

  test('what a dispatch reads twice moves once', () => {
    const plan = dry();
    const x = plan.input([1000]);
    plan.call({ ...addTo, access: ['read', 'read', 'write'] }, [x, x, plan.alloc([1000])], [2, 1, 1], { count: 500 });
    expect(plan.stats.bytes).toBe(8000);
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
    const before = gpu.pipelineCount; // of opening
    let compiles = 0;
    gpu.device.createComputePipelineAsync = (descriptor) => {
      compiles++;
      return original(descriptor);
    };
    await Promise.all([build(), build()]);
    await build();
    expect(compiles).toBe(1);
    expect(gpu.pipelineCount).toBe(before + 1);
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
      [0, 2],
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
    expect((error as FlipbookError).message).toMatch(/3:12 [\s\S]*nonsense/);
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

  test('nothing can be added to a plan that is compiled', async () => {
    const gpu = await testGpu();
    const plan = new Plan(gpu, 'late');
    const x = plan.input([64]);
    const first = affine(plan, x, 1, 1);
    affine(plan, affine(plan, first, 1, 1), 1, 1);
    const { arenaBytes } = plan.stats;
    const program = await plan.compile();
    const before = gpu.bytesInUse;
    const late: readonly (() => void)[] = [
      () => plan.alloc([64]),
      () => plan.input([64]),
      () => plan.keep(first),
      () => plan.call(addTo, [x, first], [1, 1, 1], { count: 64 }),
    ];
    for (const add of late) expect(add).toThrow('late: it is compiled');
    expect(plan.stats.arenaBytes).toBe(arenaBytes);
    expect(gpu.bytesInUse).toBe(before);
    program.dispose();
  });

  test('dispose gives every byte back', async () => {
    const gpu = await testGpu();
    const before = gpu.bytesInUse;
    const plan = new Plan(gpu, 'bytes');
    affine(plan, affine(plan, plan.input([4096]), 1, 1), 1, 1);
    gpu.resetPeak();
    const program = await plan.compile();
    const held = gpu.bytesInUse;
    expect(held).toBeGreaterThanOrEqual(before + 3 * 16384);
    program.dispose();
    expect(gpu.bytesInUse).toBe(before);
    expect(gpu.peakBytes).toBe(held); // of this plan, however much was held before
    expect(() => program.run(gpu.device.createCommandEncoder())).toThrow('disposed');
  });
});
