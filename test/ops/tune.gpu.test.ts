// Tuning on a real adapter: what is measured, remembered by the browser and used by the next device. Not which one wins.
import { afterEach, expect, test } from 'vitest';
import { openGpu } from '../../src/gpu/open';
import { Plan } from '../../src/gpu/plan';
import { rememberChoices } from '../../src/gpu/remembered';
import { linear } from '../../src/ops/linear';
import { gpuMeasure, tune } from '../../src/ops/tune';
import { testGpu } from '../gpu';

afterEach(async () => {
  await caches.delete('flipbook-tuning');
});

function record(plan: Plan): void {
  const x = plan.input([20, 16]);
  linear(plan, x, { weight: plan.input([16, 64], 'f16'), bias: plan.input([64]), activation: 'gelu' });
  plan.dispose();
}

const key = 'linear 16→64 of 20 bias gelu';

test('a layer is measured in each variant, and the next device uses what won', async () => {
  const gpu = await testGpu();
  const problems = gpu.choices.problemsOf(() => record(new Plan(gpu, 'tuned')));
  expect(problems.map(({ key }) => key)).toEqual([key]);
  expect(problems[0]!.variants.length).toBeGreaterThan(1);
  const bytes = gpu.bytesInUse;
  const tuning = await tune(problems, { measure: gpuMeasure(gpu), budget: 60_000 });
  expect(tuning).toMatchObject({ problems: 1, measured: 1 });
  expect(gpu.bytesInUse, 'what was measured is freed').toBe(bytes);

  const last = problems[0]!.variants.at(-1)!;
  expect(await rememberChoices(gpu.id, { [key]: last })).toBe(true);
  const next = await openGpu();
  expect(next.id).toBe(gpu.id);
  expect(next.choices.remembered(key)).toBe(last);
  next.dispose();
});

test('what a variant that cannot be recorded took is freed', async () => {
  const gpu = await testGpu();
  const [problem] = gpu.choices.problemsOf(() => record(new Plan(gpu, 'tuned')));
  const bytes = gpu.bytesInUse;
  const broken = {
    ...problem!,
    record: (plan: Plan) => {
      plan.input([64], 'f32', 'taken');
      throw new Error('refused on purpose');
    },
  };
  const measuring = gpuMeasure(gpu)(broken, 0, new AbortController().signal);
  await expect(measuring).rejects.toThrow('refused on purpose');
  expect(gpu.bytesInUse).toBe(bytes);
});

test('without anything remembered a device has the defaults', async () => {
  const gpu = await openGpu();
  expect(gpu.choices.remembered(key)).toBeUndefined();
  gpu.dispose();
});
