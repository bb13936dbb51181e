// Philox4x32-10 against the known answers of Random123, and the Gaussian noise against the normal distribution.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boxMuller, gaussianGroup, gaussianNoise, multiplyHigh, philox4x32, uniform, type Words4 } from './philox';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

/** Philox written again with BigInt, straight from the paper. */
function philoxBigInt(counter: Words4, key: readonly [number, number]): number[] {
  const mask = 0xffff_ffffn;
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd2511f53n * c0;
    const p1 = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [c0, c1, c2, c3].map(Number);
}

describe('philox4x32', () => {
  // Random123 examples/kat_vectors, "philox4x32 10".
  it.each<[string, Words4, readonly [number, number], Words4]>([
    ['zeros', [0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
    [
      'ones',
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      'digits of pi',
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('gives the known answer for %s', (_name, counter, key, answer) => {
    expect(philox4x32(counter, key)).toEqual(answer);
  });

  it('equals a BigInt transcription for any counter and key', () => {
    fc.assert(
      fc.property(fc.tuple(u32, u32, u32, u32), fc.tuple(u32, u32), (counter, key) => {
        expect(philox4x32(counter, key)).toEqual(philoxBigInt(counter, key));
      }),
    );
  });

  it('multiplies high words exactly', () => {
    fc.assert(
      fc.property(u32, u32, (a, b) => {
        expect(multiplyHigh(a, b)).toBe(Number((BigInt(a) * BigInt(b)) >> 32n));
      }),
    );
    expect(multiplyHigh(0xffffffff, 0xffffffff)).toBe(0xfffffffe);
  });
});

describe('uniform', () => {
  it('is exact in f32 and strictly between 0 and 1', () => {
    fc.assert(
      fc.property(u32, (word) => {
        const u = uniform(word);
        expect(Math.fround(u)).toBe(u);
        expect(u).toBeGreaterThan(0);
        expect(u).toBeLessThan(1);
      }),
    );
    expect(uniform(0)).toBe(2 ** -24);
    expect(uniform(0xffffffff)).toBe(1 - 2 ** -24);
  });
});

describe('gaussianNoise', () => {
  it('is Box–Muller of the words of each group', () => {
    const words = philox4x32([5, 2, 0, 0], [7, 0]);
    const [n0, n1] = boxMuller(uniform(words[0]), uniform(words[1]));
    const [n2, n3] = boxMuller(uniform(words[2]), uniform(words[3]));
    expect(gaussianGroup(7, 2, 5)).toEqual([n0, n1, n2, n3]);
    expect(Array.from(gaussianNoise(4, 7, 2, 20))).toEqual([n0, n1, n2, n3].map(Math.fround));
    // The first pair has the radius and the angle of its uniforms.
    expect(Math.hypot(n0, n1)).toBeCloseTo(Math.sqrt(-2 * Math.log(uniform(words[0]))), 12);
    expect((Math.atan2(n1, n0) / (2 * Math.PI) + 1) % 1).toBeCloseTo(uniform(words[1]), 12);
  });

  it('does not depend on how a tensor is cut into pieces', () => {
    const whole = gaussianNoise(61, 123456789012, 4);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 }), (a, b) => {
        const from = Math.min(a, b);
        const to = Math.max(a, b);
        expect(gaussianNoise(to - from, 123456789012, 4, from)).toEqual(whole.slice(from, to));
      }),
    );
  });

  it('differs between seeds, between their high words and between streams', () => {
    const base = gaussianNoise(8, 7, 0);
    for (const other of [gaussianNoise(8, 8, 0), gaussianNoise(8, 7 + 2 ** 32, 0), gaussianNoise(8, 7, 1)]) {
      for (let i = 0; i < 8; i++) expect(other[i]).not.toBe(base[i]);
    }
  });

  it('has the moments and the tails of a standard normal, and no correlation between neighbours', () => {
    const n = 1 << 18;
    const x = gaussianNoise(n, 2024, 1);
    const moment = (f: (i: number) => number) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += f(i);
      return sum / n;
    };
    const at = (i: number) => x[i % n] as number;
    // Each bound is five standard errors of the estimate under the normal distribution.
    const bound = (variance: number) => 5 * Math.sqrt(variance / n);
    expect(Math.abs(moment(at))).toBeLessThan(bound(1));
    expect(Math.abs(moment((i) => at(i) ** 2) - 1)).toBeLessThan(bound(2));
    expect(Math.abs(moment((i) => at(i) ** 3))).toBeLessThan(bound(15));
    expect(Math.abs(moment((i) => at(i) ** 4) - 3)).toBeLessThan(bound(96));
    for (const lag of [1, 2, 3, 4]) expect(Math.abs(moment((i) => at(i) * at(i + lag)))).toBeLessThan(bound(1));
    const tail = 0.0455002638963584;
    expect(Math.abs(moment((i) => (Math.abs(at(i)) > 2 ? 1 : 0)) - tail)).toBeLessThan(bound(tail * (1 - tail)));
  });
});
