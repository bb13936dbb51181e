// The prediction wrapper: every kind of output leads back to the same x0, and its coefficients are the textbooks'.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALPHA_FLOOR, denoising, type Prediction } from '../../src/diffusion/denoiser';
import { flowProcess, type NoiseLevel } from '../../src/diffusion/schedule';

const level = fc
  .tuple(fc.double({ min: 0.01, max: 2, noNaN: true }), fc.double({ min: 0.01, max: 90, noNaN: true }))
  .map(([alpha, sigma]): NoiseLevel => ({ alpha, sigma, timestep: 0 }));
const number = fc.double({ min: -4, max: 4, noNaN: true });

/** What a perfect network of each kind outputs, by the definition of the prediction. */
const outputs: Record<Prediction, (x0: number, noise: number, level: NoiseLevel) => number> = {
  epsilon: (_x0, noise) => noise,
  v: (x0, noise, { alpha, sigma }) => alpha * noise - sigma * x0,
  x0: (x0) => x0,
  flow: (x0, noise) => noise - x0,
};

describe('denoising', () => {
  it.each(Object.keys(outputs) as Prediction[])('recovers x0 from a %s output at any level', (prediction) => {
    fc.assert(
      fc.property(level, number, number, (at, x0, noise) => {
        const x = at.alpha * x0 + at.sigma * noise;
        const { p, q } = denoising(prediction, at);
        const tolerance = 1e-12 * (1 + at.sigma / at.alpha) * 10;
        expect(Math.abs(p * x + q * outputs[prediction](x0, noise, at) - x0)).toBeLessThan(tolerance);
      }),
    );
  });

  it('has the coefficients of the papers', () => {
    const vp = { alpha: 0.6, sigma: 0.8, timestep: 500 };
    expect(denoising('epsilon', vp)).toEqual({ p: 1 / 0.6, q: -0.8 / 0.6 });
    expect(denoising('v', vp).p).toBeCloseTo(0.6, 15);
    expect(denoising('v', vp).q).toBeCloseTo(-0.8, 15);
    expect(denoising('flow', flowProcess().at(300))).toEqual({ p: 1, q: -0.3 });
    expect(denoising('x0', vp)).toEqual({ p: 0, q: 1 });
  });

  it.each<[Prediction, number, number]>([
    ['v', 0, -1],
    ['flow', 1, -1],
    ['x0', 0, 1],
    ['epsilon', 1 / ALPHA_FLOOR, -1 / ALPHA_FLOOR],
  ])('%s stays finite without signal', (prediction, p, q) => {
    const at = denoising(prediction, { alpha: 0, sigma: 1, timestep: 1 });
    expect(at.p).toBeCloseTo(p, 15);
    expect(at.q).toBeCloseTo(q, 15);
  });
});
