// Classifier-free guidance and its rescaling against their definitions.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guidancePerFrame, guide, rescaleGuidance } from '../../src/diffusion/guidance';

const value = fc.float({ min: -4, max: 4, noNaN: true }).map((x) => x + 0); // no -0, which toEqual tells from 0
const values = (length: number) => fc.array(value, { minLength: length, maxLength: length });
const pair = fc.integer({ min: 2, max: 20 }).chain((n) => fc.tuple(values(n), values(n)));

function spread(x: ArrayLike<number>): number {
  const list = Array.from(x);
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  return Math.sqrt(list.reduce((sum, v) => sum + (v - mean) ** 2, 0) / list.length);
}

describe('guide', () => {
  it('is the unconditional output at 0, the conditional one at 1, and linear in between and beyond', () => {
    fc.assert(
      fc.property(pair, fc.double({ min: 0, max: 20, noNaN: true }), ([a, b], w) => {
        const [u, c] = [Float32Array.from(a), Float32Array.from(b)];
        expect(guide(u, c, 0)).toEqual(u);
        guide(u, c, w).forEach((value, i) => {
          expect(value).toBeCloseTo((1 - w) * u[i] + w * c[i], 3);
        });
      }),
    );
    expect(Array.from(guide(Float32Array.of(1, 2), Float32Array.of(3, 1), 4))).toEqual([9, -2]);
  });

  it('refuses outputs of different lengths', () => {
    expect(() => guide(new Float32Array(2), new Float32Array(3), 1)).toThrow('2 ≠ 3');
  });
});

describe('rescaleGuidance', () => {
  it('gives back the spread of the conditional output at φ = 1, and changes nothing at φ = 0', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const [guided, conditional] = [Float32Array.from(a), Float32Array.from(b)];
        fc.pre(spread(guided) > 1e-2);
        expect(rescaleGuidance(guided, conditional, 0)).toEqual(guided);
        expect(spread(rescaleGuidance(guided, conditional, 1))).toBeCloseTo(spread(conditional), 3);
        const half = rescaleGuidance(guided, conditional, 0.5);
        expect(spread(half)).toBeCloseTo((spread(guided) + spread(conditional)) / 2, 3);
      }),
    );
  });

  it('leaves a constant output alone', () => {
    expect(Array.from(rescaleGuidance(Float32Array.of(2, 2), Float32Array.of(1, 3), 1))).toEqual([2, 2]);
  });
});

describe('guidancePerFrame', () => {
  it('rises in equal steps from the first frame to the last', () => {
    expect(Array.from(guidancePerFrame(1, 3, 5))).toEqual([1, 1.5, 2, 2.5, 3]);
    expect(Array.from(guidancePerFrame(1, 3, 1))).toEqual([1]);
  });
});
