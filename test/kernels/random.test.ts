// Philox on the GPU bit for bit against its TypeScript twin, and the normals against theirs and against the normal distribution.
import { expect, test } from 'vitest';
import { noiseKey, seedWords } from '../../src/diffusion/noise';
import { Plan } from '../../src/gpu/plan';
import { expectClose, runPlan, testGpu } from '../gpu';
import { philox4x32, gaussianNoise as twin } from '../reference/philox';
import { gaussianNoise, philoxWords } from './random';

test.each([
  { seed: 0, stream: 0, first: 0 },
  { seed: 7, stream: 3, first: 0 },
  { seed: Number.MAX_SAFE_INTEGER, stream: 0xffff_ffff, first: 0xffff_f000 },
  { seed: 2 ** 32, stream: 1, first: 4096 },
])('words of seed $seed, stream $stream, from $first are bit-exact', async ({ seed, stream, first }) => {
  const count = 1021;
  const gpu = await testGpu();
  const plan = new Plan(gpu, 'words');
  const key = plan.input([4], 'u32', 'key');
  const out = philoxWords(plan, [count], key);
  plan.keep(out);
  const program = await plan.compile();
  gpu.write(key, noiseKey(seed, stream, first));
  await program.submit();
  const words = new Uint32Array(await program.readBytes(out));
  program.dispose();
  const expected = Uint32Array.from({ length: count }, (_, i) => {
    const group = Math.floor((first + i) / 4);
    return philox4x32([group, stream, 0, 0], seedWords(seed))[i % 4]!;
  });
  expect(words).toEqual(expected);
});

test.each([
  { shape: [1, 9, 16, 16, 12], seed: 7, stream: 0, first: 0 },
  { shape: [1, 3, 5, 7], seed: 2 ** 40 + 5, stream: 12, first: 0 },
  { shape: [101], seed: 3, stream: 2, first: 1 },
  { shape: [101], seed: 3, stream: 2, first: 6 },
  { shape: [101], seed: 3, stream: 2, first: 1023 },
])(
  'normals $shape of seed $seed, stream $stream, from $first equal the twin',
  async ({ shape, seed, stream, first }) => {
    const [out] = await runPlan((plan) => gaussianNoise(plan, shape, plan.u32([4], noiseKey(seed, stream, first))));
    const expected = twin(
      shape.reduce((a, b) => a * b),
      seed,
      stream,
      first,
    );
    for (let i = 0; i < expected.length; i++) {
      // 2^-21 of the value, and near zero of the radius, which is at most 5.8.
      expect(Math.abs(out![i]! - expected[i]!), `element ${i}`).toBeLessThan(4e-7 * Math.abs(expected[i]!) + 1e-6);
    }
    expectClose(out!, expected, 4e-7, shape);
  },
);

test('normals are normal: mean, variance, skewness, kurtosis, tails, and no correlation of neighbours', async () => {
  const n = 1 << 18;
  const [x] = await runPlan((plan) => gaussianNoise(plan, [n], plan.u32([4], noiseKey(20261122, 5))));
  const moment = (power: number) => x!.reduce((sum, value) => sum + value ** power, 0) / n;
  const mean = moment(1);
  const variance = moment(2) - mean ** 2;
  // Five standard errors of each.
  expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(n));
  expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
  expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / n));
  expect(Math.abs(moment(4) / variance ** 2 - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
  const beyond3 = x!.reduce((count, value) => count + (Math.abs(value) > 3 ? 1 : 0), 0) / n;
  expect(Math.abs(beyond3 - 0.0027)).toBeLessThan(5 * Math.sqrt(0.0027 / n));
  for (const lag of [1, 2, 4]) {
    let product = 0;
    for (let i = lag; i < n; i++) product += x![i]! * x![i - lag]!;
    expect(Math.abs(product / n), `lag ${lag}`).toBeLessThan(5 / Math.sqrt(n));
  }
});
