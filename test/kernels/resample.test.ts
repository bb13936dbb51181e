// Shuffles, up- and downsampling against the f64 reference. Moves must be exact.
import { expect, test } from 'vitest';
import type { Plan } from '../../src/gpu/plan';
import type { Tensor } from '../../src/gpu/tensor';
import {
  downsampleAverage,
  pixelShuffle,
  pixelUnshuffle,
  timeShuffle,
  timeUnshuffle,
  upsampleNearest,
} from '../../src/ops/resample';
import { expectClose, randomValues, runPlan } from '../gpu';
import {
  type Extents,
  referenceDownsampleAverage,
  referencePixelShuffle,
  referencePixelUnshuffle,
  referenceTimeShuffle,
  referenceTimeUnshuffle,
  referenceUpsampleNearest,
} from '../reference/resample';

interface Case {
  readonly label: string;
  readonly from: Extents;
  readonly to: Extents;
  readonly op: (plan: Plan, x: Tensor) => Tensor;
  readonly reference: (x: ArrayLike<number>, from: Extents) => Float64Array;
  readonly tolerance?: number;
}

const shuffles = [
  ['pixelShuffle', 2, [1, 3, 5, 3, 12], [1, 3, 10, 6, 3], pixelShuffle, referencePixelShuffle],
  ['pixelShuffle', 4, [2, 1, 3, 2, 64], [2, 1, 12, 8, 4], pixelShuffle, referencePixelShuffle],
  ['pixelUnshuffle', 2, [2, 1, 4, 6, 5], [2, 1, 2, 3, 20], pixelUnshuffle, referencePixelUnshuffle],
  ['pixelUnshuffle', 4, [1, 3, 8, 12, 4], [1, 3, 2, 3, 64], pixelUnshuffle, referencePixelUnshuffle],
  ['timeShuffle', 4, [2, 3, 3, 5, 32], [2, 12, 3, 5, 8], timeShuffle, referenceTimeShuffle],
  ['timeShuffle', 3, [1, 2, 2, 3, 15], [1, 6, 2, 3, 5], timeShuffle, referenceTimeShuffle],
  ['timeUnshuffle', 4, [2, 8, 3, 5, 8], [2, 2, 3, 5, 32], timeUnshuffle, referenceTimeUnshuffle],
  ['timeUnshuffle', 3, [1, 6, 2, 3, 5], [1, 2, 2, 3, 15], timeUnshuffle, referenceTimeUnshuffle],
] as const;

const scalings = [
  ['upsampleNearest', [1, 2, 2], [2, 3, 5, 3, 12], [2, 3, 10, 6, 12], upsampleNearest, referenceUpsampleNearest],
  ['upsampleNearest', [2, 1, 3], [2, 3, 2, 3, 5], [2, 6, 2, 9, 5], upsampleNearest, referenceUpsampleNearest],
  ['downsampleAverage', [1, 2, 2], [2, 3, 6, 4, 12], [2, 3, 3, 2, 12], downsampleAverage, referenceDownsampleAverage],
  ['downsampleAverage', [2, 3, 1], [1, 6, 6, 5, 3], [1, 3, 2, 5, 3], downsampleAverage, referenceDownsampleAverage],
] as const;

const cases: readonly Case[] = [
  ...shuffles.map(
    ([label, r, from, to, op, reference]): Case => ({
      label: `${label} ${r} [${from}]`,
      from,
      to,
      op: (plan, x) => op(plan, x, r),
      reference: (x, shape) => reference(x, shape, r),
    }),
  ),
  ...scalings.map(
    ([label, factors, from, to, op, reference]): Case => ({
      label: `${label} ${factors} [${from}]`,
      from,
      to,
      op: (plan, x) => op(plan, x, factors),
      reference: (x, shape) => reference(x, shape, factors),
      tolerance: label === 'downsampleAverage' ? 1e-6 : 0,
    }),
  ),
];

test.for(cases)('$label', async ({ from, to, op, reference, tolerance = 0 }) => {
  const x = randomValues(from.reduce((a, b) => a * b, 1));
  const [actual] = await runPlan((plan) => {
    const out = op(plan, plan.f32(from, x));
    expect(out.shape).toEqual(to);
    return out;
  });
  expectClose(actual!, reference(x, from), tolerance, to);
});
