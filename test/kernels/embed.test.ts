// The timestep embedding against f64.
import { expect, test } from 'vitest';
import { timestepEmbedding } from '../../src/ops/embed';
import { expectClose, runPlan } from '../gpu';
import * as reference from '../reference/embed';

test.each([
  { dim: 256, timesteps: [0, 1, 0.5, 0.731, 0.999] },
  { dim: 2, timesteps: [0.25] },
  { dim: 34, timesteps: [0.001, 0.9] },
])('dim $dim of $timesteps', async ({ dim, timesteps }) => {
  const t = Float32Array.from(timesteps);
  const [out] = await runPlan((plan) => timestepEmbedding(plan, plan.f32([t.length], t), dim));
  // An angle of 1000 has 6e-5 per unit in the last place, and exp adds three.
  expectClose(out!, reference.timestepEmbedding(t, dim), 4e-4, [t.length, dim]);
});

test('low angles are exact to f32', async () => {
  const t = Float32Array.of(0.001, 0.003);
  const [out] = await runPlan((plan) => timestepEmbedding(plan, plan.f32([2], t), 64));
  expectClose(out!, reference.timestepEmbedding(t, 64), 1e-6, [2, 64]);
  expect(out![0]).toBeCloseTo(Math.cos(1), 6);
});
