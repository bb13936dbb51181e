// Changes of resolution without weights: checks shapes, records the kernel. Not the WGSL.
import { type ResampleKind, resample } from '../../shaders/resample.wgsl';
import { workgroupSize } from '../../shaders/wgsl';
import { linearGrid } from '../gpu/kernel';
import type { Plan } from '../gpu/plan';
import { sizeOf, type Tensor } from '../gpu/tensor';
import { activationShape, type Extents, expectCount, formatTensor } from './check';

type Factors = readonly [time: number, height: number, width: number];

/** [B, T, H, W, C·r²] -> [B, T, H·r, W·r, C]; input channel c·r² + i·r + j is pixel (i, j) (torch's pixel_shuffle). */
export function pixelShuffle(plan: Plan, x: Tensor, r: number): Tensor {
  const [b, t, h, w, c] = activationShape('pixelShuffle', 'x', x);
  expectDivisible('pixelShuffle', x, 'channels', c, r, r * r);
  return record(plan, x, 'pixelShuffle', [1, r, r], [b, t, h * r, w * r, c / (r * r)]);
}

/** [B, T, H·r, W·r, C] -> [B, T, H, W, C·r²], the inverse of `pixelShuffle` (torch's pixel_unshuffle). */
export function pixelUnshuffle(plan: Plan, x: Tensor, r: number): Tensor {
  const [b, t, h, w, c] = activationShape('pixelUnshuffle', 'x', x);
  expectDivisible('pixelUnshuffle', x, 'height', h, r);
  expectDivisible('pixelUnshuffle', x, 'width', w, r);
  return record(plan, x, 'pixelUnshuffle', [1, r, r], [b, t, h / r, w / r, c * r * r]);
}

/** [B, T, H, W, r·C] -> [B, T·r, H, W, C]; input channel i·C + c of frame t is channel c of frame t·r + i. */
export function timeShuffle(plan: Plan, x: Tensor, r: number): Tensor {
  const [b, t, h, w, c] = activationShape('timeShuffle', 'x', x);
  expectDivisible('timeShuffle', x, 'channels', c, r);
  return record(plan, x, 'timeShuffle', [r, 1, 1], [b, t * r, h, w, c / r]);
}

/** [B, T·r, H, W, C] -> [B, T, H, W, r·C], the inverse of `timeShuffle`. */
export function timeUnshuffle(plan: Plan, x: Tensor, r: number): Tensor {
  const [b, t, h, w, c] = activationShape('timeUnshuffle', 'x', x);
  expectDivisible('timeUnshuffle', x, 'frames', t, r);
  return record(plan, x, 'timeUnshuffle', [r, 1, 1], [b, t / r, h, w, c * r]);
}

/** [B, T, H, W, C] -> [B, T·rt, H·rh, W·rw, C], every element repeated. */
export function upsampleNearest(plan: Plan, x: Tensor, factors: Factors): Tensor {
  const [b, t, h, w, c] = activationShape('upsampleNearest', 'x', x);
  const [rt, rh, rw] = checkFactors('upsampleNearest', factors);
  return record(plan, x, 'upsampleNearest', factors, [b, t * rt, h * rh, w * rw, c]);
}

/**
 * [B, T·rt, H·rh, W·rw, C] -> [B, T, H, W, C], the mean of every block: the way down of models that pool. The embedded
 * one has learned ways (strided convolutions, unshuffles) and does without.
 */
export function downsampleAverage(plan: Plan, x: Tensor, factors: Factors): Tensor {
  const [b, t, h, w, c] = activationShape('downsampleAverage', 'x', x);
  const [rt, rh, rw] = checkFactors('downsampleAverage', factors);
  expectDivisible('downsampleAverage', x, 'frames', t, rt);
  expectDivisible('downsampleAverage', x, 'height', h, rh);
  expectDivisible('downsampleAverage', x, 'width', w, rw);
  return record(plan, x, 'downsampleAverage', factors, [b, t / rt, h / rh, w / rw, c]);
}

function record(plan: Plan, x: Tensor, kind: ResampleKind, factors: Factors, shape: Extents): Tensor {
  const channels = Math.min(shape[4], x.shape[4]!);
  const aligned = !kind.startsWith('pixel') && channels % 4 === 0;
  const unit = aligned ? 4 : 1;
  const out = plan.alloc(shape);
  const count = sizeOf(shape) / unit;
  const [, time, height, width] = shape;
  const flops = kind === 'downsampleAverage' ? sizeOf(x.shape) : 0;
  plan.call(
    resample({ kind, factors, aligned }),
    [x, out],
    linearGrid(count, workgroupSize),
    { time, height, width, channels: shape[4] / unit, count },
    { flops },
  );
  return out;
}

function expectDivisible(op: string, x: Tensor, axis: string, extent: number, r: number, by = r): void {
  expectCount(op, 'the factor', r, 64);
  if (extent % by === 0) return;
  throw new TypeError(`${op}: x is ${formatTensor(x)}, its ${axis} must be a multiple of ${by} for the factor ${r}`);
}

function checkFactors(op: string, factors: Factors): Factors {
  for (const factor of factors) expectCount(op, 'a factor', factor, 64);
  return factors;
}
