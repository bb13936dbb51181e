// What attention, norms, noise and embedding refuse, in words, and what they cost: dry runs, without a GPU.
import { describe, expect, test } from 'vitest';
import { Plan } from '../../src/gpu/plan';
import type { Tensor } from '../../src/gpu/tensor';
import { virtualTensor } from '../../src/gpu/tensor';
import { crossAttention, selfAttention, spatialAttention, temporalAttention } from '../../src/ops/attention';
import { timestepEmbedding } from '../../src/ops/embed';
import { noiseUpdate } from '../../src/ops/noise-update';
import { groupNorm, layerNorm } from '../../src/ops/norm';

const t = virtualTensor;
const run = <T>(build: (plan: Plan) => T): { result: T; plan: Plan } => {
  const plan = new Plan(null, 'dry');
  return { result: build(plan), plan };
};
const norm = { groups: 8, eps: 1e-5, weight: t([64]), bias: t([64]) };
const step = t([8]);
const key = t([4], 'u32');

describe('errors say what was given and what was expected', () => {
  const cases: [name: string, build: (plan: Plan) => unknown, message: RegExp][] = [
    [
      'qkv not 3C',
      (p) => spatialAttention(p, t([1, 1, 2, 2, 64]), { heads: 4 }),
      /\[1, 1, 2, 2, 64\] f32, expected 3C/,
    ],
    ['heads', (p) => spatialAttention(p, t([1, 1, 2, 2, 96]), { heads: 5 }), /32 channels and 5 heads, expected/],
    ['rank', (p) => spatialAttention(p, t([4, 96]), { heads: 2 }), /\[4, 96\] f32, expected \[B, T, H, W, 3C\]/],
    [
      'kv width',
      (p) => crossAttention(p, t([1, 1, 2, 2, 8]), t([1, 5, 8]), { heads: 1, mask: t([1, 5]) }),
      /kv is \[1, 5, 8\] f32, expected \[1, any, 16\]/,
    ],
    [
      'mask',
      (p) => crossAttention(p, t([1, 1, 2, 2, 8]), t([1, 5, 16]), { heads: 1, mask: t([1, 4]) }),
      /mask is \[1, 4\] f32, expected \[1, 5\]/,
    ],
    ['tokens', (p) => selfAttention(p, t([24, 96]), { heads: 2 }), /expected \[B, L, 3C\]/],
    [
      'even bias',
      (p) => temporalAttention(p, t([1, 3, 2, 2, 24]), { heads: 2, bias: t([2, 4]) }),
      /bias is \[2, 4\] f32, expected an odd number/,
    ],
    [
      'schedule beyond the memory of a workgroup',
      (p) =>
        spatialAttention(p, t([1, 1, 8, 8, 480]), {
          heads: 1,
          schedule: { kind: 'tiled', queries: 32, lanes: 4, rows: 1, keys: 32 },
        }),
      /workgroup memory/,
    ],
    [
      'schedule for fewer keys',
      (p) =>
        spatialAttention(p, t([1, 1, 8, 9, 24]), {
          heads: 1,
          schedule: { kind: 'direct', rows: 4, keys: 4, most: 64 },
        }),
      /72 keys, this schedule takes at most 64/,
    ],
    ['groups', (p) => groupNorm(p, t([1, 1, 2, 2, 64]), { ...norm, groups: 7 }), /64 channels and 7 groups/],
    ['weight', (p) => groupNorm(p, t([1, 1, 2, 2, 32]), norm), /weight is \[64\] f32, expected \[32\]/],
    [
      'scale-shift',
      (p) => groupNorm(p, t([1, 3, 2, 2, 64]), { ...norm, scaleShift: t([2, 128]) }),
      /scaleShift is \[2, 128\] f32 from column 0, expected \[1 or 3, at least 128\]/,
    ],
    [
      'scale-shift columns',
      (p) => layerNorm(p, t([1, 3, 64]), { eps: 1e-5, scaleShift: t([1, 128]), scaleShiftOffset: 64 }),
      /from column 64, expected \[1 or 3, at least 192\]/,
    ],
    ['odd dim', (p) => timestepEmbedding(p, t([2]), 7), /dim is 7, expected an even number/],
    [
      'key',
      (p) => noiseUpdate(p, { x: t([1, 4]), output: t([1, 4]), step, key: t([4]) }),
      /key is \[4\] f32, expected \[4\] u32/,
    ],
    [
      'output',
      (p) => noiseUpdate(p, { x: t([1, 4]), output: t([3, 4]), step, key }),
      /output is \[3, 4\] f32, expected \[1, 4\]/,
    ],
    [
      'known',
      (p) => noiseUpdate(p, { x: t([1, 4]), output: t([1, 4]), known: t([1, 4]), step, key }),
      /known is \[1, 4\] f32, expected \[2, 4\]/,
    ],
    ['step', (p) => noiseUpdate(p, { x: t([1, 4]), output: t([1, 4]), step: t([7]), key }), /step is \[7\] f32/],
  ];
  test.each(cases)('%s', (_, build, message) => {
    expect(() => run(build)).toThrow(message);
  });
});

test('an activation cannot be updated: it would not outlive the run', () => {
  expect(() =>
    run((plan) => {
      const x = plan.alloc([1, 4]);
      return noiseUpdate(plan, { x, output: t([1, 4]), step, key });
    }),
  ).toThrow(/plan\.input\(\)/);
});

test('the cost of attention is that of its two products', () => {
  const { plan, result } = run((p) => spatialAttention(p, t([1, 9, 8, 8, 768]), { heads: 4 }));
  expect((result as Tensor).shape).toEqual([1, 9, 8, 8, 256]);
  expect(plan.stats.flops).toBe(2 * 2 * 9 * 64 * 64 * 256);
  expect(plan.stats.dispatches).toBe(1);
});

test('grids fold past 65535 workgroups', () => {
  const { plan } = run((p) => temporalAttention(p, t([1, 2, 512, 512, 12]), { heads: 1 }));
  expect(plan.stats.dispatches).toBe(1);
});
