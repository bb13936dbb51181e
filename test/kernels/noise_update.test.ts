// The sampler step against f64, for every combination of zero and non-zero coefficients and every variant of the kernel.
import { describe, expect, test } from 'vitest';
import { noiseKey } from '../../src/diffusion/noise';
import { Plan } from '../../src/gpu/plan';
import { noiseUpdate } from '../../src/ops/noise-update';
import { expectClose, randomValues, runPlan, testGpu } from '../gpu';
import * as reference from '../reference/noise_update';
import { gaussianNoise } from '../reference/philox';

const [seed, stream] = [42, 3];
// Every subset of (a, b, c, d), with guidance and prediction that differ from it.
const steps = Array.from({ length: 16 }, (_, set) => [
  [1, 0, 7.5, -1][set % 4]!,
  set % 3 === 0 ? 1 : 0.8,
  set % 5 === 0 ? -0.25 : 0.6,
  set & 1 ? 0.9 : 0,
  set & 2 ? -0.3 : 0,
  set & 4 ? 0.45 : 0,
  set & 8 ? 0.7 : 0,
  0,
]);

describe.each([
  { guided: false, previous: false, known: false },
  { guided: false, previous: true, known: true },
  { guided: true, previous: false, known: true },
  { guided: true, previous: true, known: false },
])('guided $guided, previous $previous, known $known', ({ guided, previous, known }) => {
  test.each([[[1, 3, 4, 4, 12]], [[2, 1, 3, 3, 3]], [[1, 1, 1, 1, 1]]])('%s, all coefficients', async (shape) => {
    const count = shape.reduce((a, b) => a * b);
    const x = randomValues(count, 1);
    const output = randomValues(count * (guided ? 2 : 1), 2);
    const before = randomValues(count, 3);
    const given = randomValues(count, 4);
    const keep = given.map((_value, i) => (i % 3 === 1 ? 1 : 0));
    const gpu = await testGpu();
    const plan = new Plan(gpu, 'steps');
    const step = plan.input([8], 'f32', 'step');
    const twice = [2 * shape[0]!, ...shape.slice(1)];
    const tensors = [shape, guided ? twice : shape, shape].map((s) => plan.input(s));
    const held = plan.input(twice, 'f32', 'known');
    const key = plan.input([4], 'u32', 'key');
    const denoised = noiseUpdate(plan, {
      x: tensors[0]!,
      output: tensors[1]!,
      ...(previous ? { previous: tensors[2]! } : {}),
      ...(known ? { known: held } : {}),
      step,
      key,
    });
    const program = await plan.compile();
    gpu.write(tensors[1]!, output);
    gpu.write(held, Float32Array.from([...given, ...keep]));
    gpu.write(key, noiseKey(seed, stream));
    const noise = gaussianNoise(count, seed, stream);
    for (const coefficients of steps) {
      gpu.write(tensors[0]!, x);
      gpu.write(tensors[2]!, before);
      gpu.write(step, Float32Array.from(coefficients));
      await program.submit();
      const expected = reference.noiseUpdate({
        x,
        output,
        noise,
        step: coefficients,
        ...(previous ? { previous: before } : {}),
        ...(known ? { known: { given, keep } } : {}),
      });
      // Against the terms, not against their sum, which may cancel.
      const near = (actual: Float32Array, wanted: Float64Array) =>
        wanted.forEach((value, i) => {
          expect(Math.abs(actual[i]! - value), `element ${i} with [${coefficients}]`).toBeLessThan(1e-5);
        });
      near(await program.read(tensors[0]!), expected.x);
      near(await program.read(denoised), expected.denoised);
    }
    program.dispose();
  });
});

test.each([true, false])('three runs in a row (guided %s)', async (guided) => {
  const shape = [1, 2, 3, 3, 4];
  const count = 72;
  const values = {
    x: randomValues(count, 1),
    output: randomValues(count * (guided ? 2 : 1), 2),
    previous: randomValues(count, 3),
  };
  const coefficients = [3, 0.9, -0.5, 0.8, 0.3, -0.2, 0.4, 0];
  const gpu = await testGpu();
  const plan = new Plan(gpu, 'three runs');
  const step = plan.input([8]);
  const key = plan.input([4], 'u32');
  const x = plan.input(shape);
  const previous = plan.input(shape);
  const output = plan.input([guided ? 2 : 1, ...shape.slice(1)]);
  expect(noiseUpdate(plan, { x, output, previous, step, key })).toBe(previous);
  const program = await plan.compile();
  gpu.write(x, values.x);
  gpu.write(previous, values.previous);
  gpu.write(output, values.output);
  gpu.write(step, Float32Array.from(coefficients));
  let expected: ReturnType<typeof reference.noiseUpdate> = {
    x: Float64Array.from(values.x),
    denoised: Float64Array.from(values.previous),
  };
  for (let run = 0; run < 3; run++) {
    gpu.write(key, noiseKey(seed, run));
    await program.submit();
    expected = reference.noiseUpdate({
      x: expected.x,
      output: values.output,
      previous: expected.denoised,
      noise: gaussianNoise(count, seed, run),
      step: coefficients,
    });
  }
  expectClose(await program.read(x), expected.x, 2e-6, shape);
  expectClose(await program.read(previous), expected.denoised, 2e-6, shape);
  program.dispose();
});

test('a coefficient of zero keeps what the tensor holds out of the result', async () => {
  const [x, denoised] = await runPlan((plan) => {
    const tensor = (value: number) => plan.f32([1, 4], new Array(4).fill(value));
    const latents = tensor(2);
    const x0 = noiseUpdate(plan, {
      x: latents,
      output: tensor(3),
      previous: tensor(Number.POSITIVE_INFINITY),
      step: plan.f32([8], [1, 0, 1, 0, 1, 0, 0, 0]),
      key: plan.u32([4], noiseKey(1, 1)),
    });
    return [latents, x0];
  });
  expect([...x!]).toEqual([3, 3, 3, 3]);
  expect([...denoised!]).toEqual([3, 3, 3, 3]);
});
