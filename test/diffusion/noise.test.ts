// The keys of the noise: no seed loses bits, and what is no key is refused.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_SEED, noiseKey, seedWords } from '../../src/diffusion/noise';

const seeds = fc.integer({ min: 0, max: MAX_SEED });

describe('seeds and keys', () => {
  it('splits any seed into two words and loses nothing', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const [low, high] = seedWords(seed);
        expect(high * 2 ** 32 + low).toBe(seed);
      }),
    );
    expect(seedWords(MAX_SEED)).toEqual([0xffffffff, 0x1fffff]);
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, MAX_SEED + 1])('refuses the seed %s', (seed) => {
    expect(() => seedWords(seed)).toThrow(RangeError);
  });

  it('packs the key as the kernels read it', () => {
    expect(Array.from(noiseKey(2 ** 32 + 7, 3, 12))).toEqual([7, 1, 3, 12]);
    expect(() => noiseKey(7, -1)).toThrow('stream must be an unsigned 32-bit integer');
    expect(() => noiseKey(7, 0, 2 ** 32)).toThrow('firstElement must be an unsigned 32-bit integer');
  });
});
