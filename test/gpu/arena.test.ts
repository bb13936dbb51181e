// The arena's promises, over random lifetimes: what lives at the same time never overlaps, what one call reads and
// writes never shares a bank, and no memory is taken beyond what the tensors need.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Lifetime, placeInArena } from '../../src/gpu/arena';

const align = 256;
const unlimited = { align, maxBytes: 2 ** 40 };
const roundUp = (bytes: number) => Math.ceil(bytes / align) * align;

const lifetime: fc.Arbitrary<Lifetime> = fc
  .record({ bytes: fc.integer({ min: 1, max: 5000 }), first: fc.nat(40), length: fc.nat(12) })
  .map(({ bytes, first, length }) => ({ bytes, first, last: first + length }));

const problem = fc.array(lifetime, { minLength: 1, maxLength: 40 }).chain((lifetimes) =>
  fc.record({
    lifetimes: fc.constant(lifetimes),
    apart: fc
      .array(fc.tuple(fc.nat(lifetimes.length - 1), fc.nat(lifetimes.length - 1)), { maxLength: 30 })
      .map((pairs) => pairs.filter(([a, b]) => a !== b)),
  }),
);

describe('placeInArena', () => {
  test('live tensors never overlap, rivals never share a bank, everything is aligned and inside its bank', () => {
    fc.assert(
      fc.property(problem, ({ lifetimes, apart }) => {
        const { placements, bankBytes } = placeInArena(lifetimes, apart, unlimited);
        expect(placements).toHaveLength(lifetimes.length);
        placements.forEach(({ bank, offset }, i) => {
          expect(offset % align).toBe(0);
          expect(offset + lifetimes[i]!.bytes).toBeLessThanOrEqual(bankBytes[bank]!);
          for (let j = 0; j < i; j++) {
            const [a, b] = [lifetimes[i]!, lifetimes[j]!];
            const other = placements[j]!;
            const together = a.first <= b.last && b.first <= a.last;
            if (!together || other.bank !== bank) continue;
            expect(offset >= other.offset + b.bytes || other.offset >= offset + a.bytes).toBe(true);
          }
        });
        for (const [a, b] of apart) expect(placements[a]!.bank).not.toBe(placements[b]!.bank);
      }),
      { numRuns: 300 },
    );
  });

  test('it takes no more than the sum of all, and no less than the fullest moment', () => {
    fc.assert(
      fc.property(problem, ({ lifetimes, apart }) => {
        const { bankBytes } = placeInArena(lifetimes, apart, unlimited);
        const total = bankBytes.reduce((a, b) => a + b, 0);
        const sum = lifetimes.reduce((a, life) => a + roundUp(life.bytes), 0);
        const moments = Array.from({ length: 60 }, (_, t) =>
          lifetimes.reduce((a, life) => a + (life.first <= t && t <= life.last ? roundUp(life.bytes) : 0), 0),
        );
        expect(total).toBeLessThanOrEqual(sum);
        expect(total).toBeGreaterThanOrEqual(Math.max(...moments));
      }),
    );
  });

  test('a bank never grows beyond the largest buffer', () => {
    fc.assert(
      fc.property(problem, ({ lifetimes, apart }) => {
        const { placements, bankBytes } = placeInArena(lifetimes, apart, { align, maxBytes: 5120 });
        for (const bytes of bankBytes) expect(bytes).toBeLessThanOrEqual(5120);
        expect(new Set(placements.map(({ bank }) => bank)).size).toBe(bankBytes.length);
      }),
    );
  });

  test('a chain needs two banks of one tensor each', () => {
    const chain = Array.from({ length: 20 }, (_, i) => ({ bytes: 1024, first: i, last: i + 1 }));
    const apart = chain.slice(1).map((_, i) => [i, i + 1] as const);
    expect(placeInArena(chain, apart, unlimited).bankBytes).toEqual([1024, 1024]);
  });

  test('a tensor larger than any buffer is refused with the numbers', () => {
    expect(() => placeInArena([{ bytes: 1000, first: 0, last: 0 }], [], { align, maxBytes: 512 })).toThrow(
      '1024 bytes exceeds the largest buffer, 512',
    );
  });
});
