// The forward process against its closed form: by exact recursion of its steps, and by Monte Carlo with the Philox noise.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffuse, marginal, transition } from '../../src/diffusion/forward';
import { createProcess, DATA, flowProcess, linearBetas, type Process } from '../../src/diffusion/schedule';
import { gaussianNoise } from '../reference/philox';

const ddpm = createProcess({ schedule: 'linear', timesteps: 1000, betaStart: 1e-4, betaEnd: 0.02 });
const processes: [string, Process][] = [
  ['DDPM', ddpm],
  ['cosine', createProcess({ schedule: 'cosine', timesteps: 1000 })],
  ['zero terminal SNR', createProcess({ schedule: 'cosine', timesteps: 1000, zeroTerminalSnr: true })],
  ['flow', flowProcess()],
  ['shifted flow', flowProcess(3)],
];

describe('the forward process', () => {
  it('after t steps of √(1 - β)·x + √β·ε has mean √ᾱ_t·x0 and variance 1 - ᾱ_t, at every t', () => {
    let mean = 1;
    let variance = 0;
    let alphaBar = 1;
    linearBetas(1000, 1e-4, 0.02).forEach((beta, i) => {
      mean *= Math.sqrt(1 - beta);
      variance = (1 - beta) * variance + beta;
      alphaBar *= 1 - beta;
      const closed = marginal(ddpm.at(i + 1));
      expect(closed.scale).toBeCloseTo(mean, 12);
      expect(closed.std ** 2).toBeCloseTo(variance, 12);
      expect(closed.scale).toBeCloseTo(Math.sqrt(alphaBar), 12);
    });
  });

  it('between neighbouring timesteps is one DDPM step', () => {
    linearBetas(1000, 1e-4, 0.02).forEach((beta, i) => {
      const { scale, std } = transition(ddpm.at(i), ddpm.at(i + 1));
      expect(scale).toBeCloseTo(Math.sqrt(1 - beta), 12);
      expect(std ** 2).toBeCloseTo(beta, 12);
    });
  });

  it.each(processes)('%s: two jumps are one jump', (_name, process) => {
    const count = fc.integer({ min: 0, max: 1000 });
    fc.assert(
      fc.property(fc.tuple(count, count, count), (counts) => {
        const [r, s, t] = counts.sort((a, b) => a - b).map((c) => (c === 0 ? DATA : process.at(c)));
        fc.pre(s.alpha > 0);
        const first = transition(r, s);
        const second = transition(s, t);
        const both = transition(r, t);
        expect(second.scale * first.scale).toBeCloseTo(both.scale, 12);
        expect((second.scale * first.std) ** 2 + second.std ** 2).toBeCloseTo(both.std ** 2, 12);
      }),
    );
  });

  it('by Monte Carlo: 50 noising steps with Philox noise give the marginal mean and variance', () => {
    const process = createProcess({ schedule: 'linear', timesteps: 50, betaStart: 0.002, betaEnd: 0.3 });
    const n = 20_000;
    const x0 = 1.7;
    let x = new Float32Array(n).fill(x0);
    for (let count = 1; count <= 50; count++) {
      const before = count === 1 ? DATA : process.at(count - 1);
      x = new Float32Array(diffuse(x, transition(before, process.at(count)), gaussianNoise(n, 11, count)));
      const { scale, std } = marginal(process.at(count));
      const mean = x.reduce((sum, value) => sum + value, 0) / n;
      const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
      // Five standard errors of the mean and of the variance of n normals.
      expect(Math.abs(mean - scale * x0)).toBeLessThan((5 * std) / Math.sqrt(n));
      expect(Math.abs(variance - std ** 2)).toBeLessThan(5 * std ** 2 * Math.sqrt(2 / n));
    }
  });

  it('in one jump is √ᾱ·x0 + √(1 - ᾱ)·ε, element by element', () => {
    const x0 = Float32Array.of(1, -2, 0.5);
    const noise = gaussianNoise(3, 5, 0);
    const level = ddpm.at(400);
    diffuse(x0, marginal(level), noise).forEach((value, i) => {
      expect(value).toBeCloseTo(level.alpha * x0[i] + level.sigma * noise[i], 6);
    });
    expect(() => diffuse(x0, marginal(level), noise.subarray(1))).toThrow('the noise must have the 3 elements');
  });
});
