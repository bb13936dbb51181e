// The prediction wrapper: every kind of output leads back to the same x0, and its coefficients are the textbooks'.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALPHA_FLOOR, denoising, type Prediction } from '../../src/diffusion/denoiser';
import { edmProcess, flowProcess, type NoiseLevel } from '../../src/diffusion/schedule';

const level = fc
  .tuple(fc.double({ min: 0.01, max: 2, noNaN: true }), fc.double({ min: 0.01, max: 90, noNaN: true }))
  .map(([alpha, sigma]): NoiseLevel => ({ alpha, sigma, timestep: 0 }));
const number = fc.double({ min: -4, max: 4, noNaN: true });

/** What a perfect network of each kind outputs, by the definition of the prediction. */
const outputs: Record<Exclude<Prediction, 'edm'>, (x0: number, noise: number, level: NoiseLevel) => number> = {
  epsilon: (_x0, noise) => noise,
  v: (x0, noise, { alpha, sigma }) => alpha * noise - sigma * x0,
  x0: (x0) => x0,
  flow: (x0, noise) => noise - x0,
};

describe('denoising', () => {
  it.each(Object.keys(outputs) as (keyof typeof outputs)[])(
    'recovers x0 from a %s output at any level',
    (prediction) => {
      fc.assert(
        fc.property(level, number, number, (at, x0, noise) => {
          const x = at.alpha * x0 + at.sigma * noise;
          const { p, q, inputScale } = denoising(prediction, at);
          const tolerance = 1e-12 * (1 + at.sigma / at.alpha) * 10;
          expect(Math.abs(p * x + q * outputs[prediction](x0, noise, at) - x0)).toBeLessThan(tolerance);
          expect(inputScale).toBe(1);
        }),
      );
    },
  );

  it('has the coefficients of the papers', () => {
    const vp = { alpha: 0.6, sigma: 0.8, timestep: 500 };
    expect(denoising('epsilon', vp)).toEqual({ p: 1 / 0.6, q: -0.8 / 0.6, inputScale: 1 });
    expect(denoising('v', vp).p).toBeCloseTo(0.6, 15);
    expect(denoising('v', vp).q).toBeCloseTo(-0.8, 15);
    expect(denoising('flow', flowProcess().at(300))).toEqual({ p: 1, q: -0.3, inputScale: 1 });
    expect(denoising('x0', vp)).toEqual({ p: 0, q: 1, inputScale: 1 });
  });

  it('has the scalings of EDM, table 1', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 999, noNaN: true }), (count) => {
        const at = edmProcess().at(count);
        const { sigma } = at;
        const { p, q, inputScale } = denoising('edm', at);
        expect(p).toBeCloseTo(0.25 / (sigma ** 2 + 0.25), 12);
        expect(q).toBeCloseTo((sigma * 0.5) / Math.sqrt(sigma ** 2 + 0.25), 12);
        expect(inputScale).toBeCloseTo(1 / Math.sqrt(sigma ** 2 + 0.25), 12);
      }),
    );
  });

  it('of EDM with data of unit variance is minus v on a variance-preserving process', () => {
    const vp = { alpha: 0.6, sigma: 0.8, timestep: 0 };
    const edm = denoising('edm', vp, 1);
    expect(edm.p).toBeCloseTo(denoising('v', vp).p, 14);
    expect(edm.q).toBeCloseTo(-denoising('v', vp).q, 14);
    expect(edm.inputScale).toBeCloseTo(1, 14);
  });

  it.each<[Prediction, number, number]>([
    ['v', 0, -1],
    ['flow', 1, -1],
    ['x0', 0, 1],
    ['epsilon', 1 / ALPHA_FLOOR, -1 / ALPHA_FLOOR],
    ['edm', 0, 0.5],
  ])('%s stays finite without signal', (prediction, p, q) => {
    const at = denoising(prediction, { alpha: 0, sigma: 1, timestep: 1 });
    expect(at.p).toBeCloseTo(p, 15);
    expect(at.q).toBeCloseTo(q, 15);
    expect(Number.isFinite(Math.fround(at.inputScale))).toBe(true);
  });
});
