// The ratios: who is compared with whom, and what is left out.
import { expect, test } from 'vitest';
import { limitMilliseconds, ratioNames, ratiosOf, speedup } from '../../src/bench/result';
import { arm, caseOf, failedArm } from './results';

const conv = caseOf('conv3d', [
  arm('flipbook', 'ours', 10),
  arm('onnxruntime-web', 'as written', 60),
  arm('tfjs', 'as written', 80),
  arm('onnxruntime-web', 'strongest rewrite', 40),
  arm('tfjs', 'strongest rewrite', 20),
  arm('onnxruntime-web wasm', 'record', 1),
]);

test('the fastest peer counts, of each kind by itself; the CPU never does', () => {
  const ratios = ratiosOf([conv]);
  expect(ratios.conv3d_vs_as_written).toBeCloseTo(6, 12);
  expect(ratios.conv3d_vs_strongest_rewrite).toBeCloseTo(2, 12);
  expect(speedup(conv)).toBeCloseTo(2, 12);
});

test('several cases give their geometric mean', () => {
  const other = caseOf('conv3d', [arm('flipbook', 'ours', 10), arm('tfjs', 'as written', 240)]);
  expect(ratiosOf([conv, other]).conv3d_vs_as_written).toBeCloseTo(12, 12);
});

test('a failed arm is no peer, and a case without a peer or without us is left out', () => {
  const alone = caseOf('linear', [arm('flipbook', 'ours', 10), failedArm('tfjs', 'as written', 'it broke')]);
  const broken = caseOf('spatial_attention', [failedArm('flipbook', 'ours', 'no'), arm('tfjs', 'as written', 1)]);
  const ratios = ratiosOf([alone, broken]);
  expect(ratios.linear).toBeNull();
  expect(ratios.spatial_attention).toBeNull();
  expect(Object.keys(ratios)).toEqual([...ratioNames]);
});

test('the whole model is compared with onnxruntime alone, in time and in memory', () => {
  const ratios = ratiosOf([
    caseOf('denoiser_step', [
      arm('flipbook', 'ours', 10),
      arm('onnxruntime-web', 'as written', 35),
      arm('jax-js', 'as written', 5),
    ]),
    caseOf('cold_start', [
      arm('flipbook', 'ours', 100, { peakGpuBytes: 20 }),
      arm('onnxruntime-web', 'as written', 250, { peakGpuBytes: 60 }),
    ]),
  ]);
  expect(ratios.denoiser_step_vs_ort).toBeCloseTo(3.5, 12);
  expect(ratios.cold_start_vs_ort).toBeCloseTo(2.5, 12);
  expect(ratios.peak_gpu_bytes_vs_ort).toBeCloseTo(3, 12);
});

test('the limit is arithmetic or memory, whichever takes longer', () => {
  const ceilings = { gflops: 2, gigabytesPerSecond: 10 };
  expect(limitMilliseconds({ flops: 4e9, bytes: 1e8 }, ceilings)).toBeCloseTo(2000, 9);
  expect(limitMilliseconds({ flops: 1e6, bytes: 1e9 }, ceilings)).toBeCloseTo(100, 9);
});
