// Concatenation, copies, addition, SiLU, affine maps and a denoiser's velocity against plain loops.
import { test } from 'vitest';
import { add, affine, concat, copy, silu, velocity } from '../../src/ops/elementwise';
import { expectClose, randomValues, runPlan } from '../gpu';
import { activate } from '../reference/matmul';

test.for([
  { lead: [1, 2, 3, 5], channels: [8, 12] },
  { lead: [7], channels: [4, 4, 4, 4, 4, 4, 4] },
  { lead: [2, 3], channels: [1, 5, 4] },
  { lead: [3], channels: [6] },
])('concat $channels after $lead', async ({ lead, channels }) => {
  const rows = lead.reduce((a, b) => a * b, 1);
  const inputs = channels.map((c, i) => randomValues(rows * c, i + 1));
  const [actual] = await runPlan((plan) => {
    // A tensor of one's own: concat of one tensor is that tensor.
    const tensors = inputs.map((values, i) =>
      affine(plan, plan.f32([...lead, channels[i]!], values), identity(plan, channels[i]!)),
    );
    return concat(plan, tensors);
  });
  const expected = Array.from({ length: rows }, (_, row) =>
    inputs.flatMap((values, i) => [...values.slice(row * channels[i]!, (row + 1) * channels[i]!)]),
  ).flat();
  expectClose(actual!, expected, 0);
});

function identity(
  plan: { f32(shape: readonly number[], values: ArrayLike<number>): import('../../src/gpu/tensor').Tensor },
  c: number,
) {
  return { scale: plan.f32([c], new Float32Array(c).fill(1)), shift: plan.f32([c], new Float32Array(c)) };
}

const shapes = [[1], [3, 5], [2, 3, 4, 4, 12], [65, 7]] as const;

test.for(shapes)('add [%s]', async (shape) => {
  const size = shape.reduce<number>((a, b) => a * b, 1);
  const [a, b] = [randomValues(size, 1), randomValues(size, 2)];
  const [actual] = await runPlan((plan) => add(plan, plan.f32(shape, a), plan.f32(shape, b)));
  expectClose(
    actual!,
    Array.from(a, (v, i) => v + b[i]!),
    1e-7,
  );
});

test.for(shapes)('copy [%s]', async (shape) => {
  const values = randomValues(shape.reduce<number>((a, b) => a * b, 1));
  const [actual] = await runPlan((plan) => {
    const out = plan.input(shape, 'f32', 'copy');
    copy(plan, plan.f32(shape, values), out);
    return out;
  });
  expectClose(actual!, values, 0);
});

test.for(shapes)('silu [%s]', async (shape) => {
  const values = randomValues(shape.reduce<number>((a, b) => a * b, 1)).map((v) => 4 * v);
  const [actual] = await runPlan((plan) => silu(plan, plan.f32(shape, values)));
  expectClose(
    actual!,
    Array.from(values, (v) => activate('silu', v)),
    1e-6,
  );
});

test('silu of large magnitudes is finite', async () => {
  const [actual] = await runPlan((plan) => silu(plan, plan.f32([3], [-200, 0, 200])));
  expectClose(actual!, [0, 0, 200], 1e-30);
});

test.for([4, 3, 1, 40])('affine over %i channels', async (c) => {
  const [x, scale, shift] = [randomValues(15 * c, 1), randomValues(c, 2), randomValues(c, 3)];
  const [actual] = await runPlan((plan) =>
    affine(plan, plan.f32([3, 5, c], x), { scale: plan.f32([c], scale), shift: plan.f32([c], shift) }),
  );
  expectClose(
    actual!,
    Array.from(x, (v, i) => v * scale[i % c]! + shift[i % c]!),
    1e-6,
  );
});

test.for([
  { shape: [2, 3, 5, 8], outline: 4 },
  { shape: [3, 2, 40], outline: 12 },
  { shape: [2, 3, 7], outline: 3 },
  { shape: [1, 5, 8], outline: 3 },
  { shape: [2, 4], outline: 4 },
  { shape: [2, 4], outline: 0 },
])('velocity of $shape, of $outline channels as it is', async ({ shape, outline }) => {
  const size = shape.reduce((a, b) => a * b, 1);
  const [batch, channels] = [shape[0]!, shape.at(-1)!];
  const [x, output, gates] = [randomValues(size, 1), randomValues(size, 2), randomValues(batch * 2 * channels, 3)];
  const width = 2 * channels + 4;
  const conditions = randomValues((size / channels) * width, 4); // flags that are no 0 and 1 show which one is read
  const [times, least] = [[0.01, 0.5, 1].slice(0, batch), 0.05]; // one is below the least
  const [actual] = await runPlan((plan) =>
    velocity(plan, {
      x: plan.f32(shape, x),
      output: plan.f32(shape, output),
      conditions: plan.f32([...shape.slice(0, -1), width], conditions),
      gates: plan.f32([batch, 2 * channels], gates),
      t: plan.f32([batch], times),
      outline,
      least,
    }),
  );
  const expected = Array.from(x, (value, i) => {
    const [sample, row, c] = [Math.floor((i / size) * batch), Math.floor(i / channels), i % channels];
    const [ofNoisy, ofMoving] = [0, 1].map((k) => gates[(2 * sample + k) * channels + c]!);
    const picture = row * width + channels + 1;
    const isClip = conditions[picture + channels + 2]!;
    const bypass = ofNoisy! * value + ofMoving! * isClip * conditions[picture + c]!;
    const predicted = output[i]! + bypass;
    return c < outline ? predicted : (value - predicted) / Math.max(Math.fround(times[sample]!), Math.fround(least));
  });
  expectClose(actual!, expected, 1e-6);
});
