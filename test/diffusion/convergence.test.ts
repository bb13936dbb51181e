// Samplers on data whose ideal denoiser is known: their results against closed forms, and their orders of convergence.
import { describe, expect, it } from 'vitest';
import { samplerTable, samplerUpdates, type Update, usualSpacing } from '../../src/diffusion/samplers';
import { DATA, flowProcess, noiseLevels, type Process } from '../../src/diffusion/schedule';
import type { SamplerName } from '../../src/sampler-names';
import {
  distribution,
  idealDenoiser,
  type Mixture,
  moments,
  normal,
  probabilityFlow,
  quantile,
  sample,
} from '../reference/analytic';
import { gaussianNoise } from '../reference/philox';
import { ddpm, processes } from './processes';

const deterministic: SamplerName[] = ['ddim', 'euler', 'flow-euler', 'dpmpp-2m'];
const ancestral: SamplerName[] = ['ddpm', 'euler-ancestral'];

describe('normal data with the ideal denoiser', () => {
  const [mean, std] = [0.7, 0.6];

  /** Error of the mean and of the standard deviation of the samples. */
  function error(sampler: SamplerName, process: Process, steps: number): number {
    const levels = noiseLevels(process, steps, usualSpacing(sampler, process));
    const result = moments(mean, std, levels, samplerUpdates[sampler](levels));
    return Math.max(Math.abs(result.mean - mean), Math.abs(Math.sqrt(result.variance) - std));
  }

  it.each(
    processes.flatMap(([name, process]) => [...deterministic, ...ancestral].map((s) => [name, s, process] as const)),
  )('%s, %s: samples take on the mean and the spread of the data', (_name, sampler, process) => {
    const bounds = { first: [0.25, 0.08, 0.014], second: [0.1, 0.006, 0.001] }[
      sampler === 'dpmpp-2m' ? 'second' : 'first'
    ];
    [10, 50, 400].forEach((steps, i) => {
      expect(error(sampler, process, steps)).toBeLessThan(bounds[i]);
    });
  });

  // A stretch of the probability-flow ODE without the jump to sigma = 0, where no solver has an order.
  const stretches: [string, Process, number, number][] = [
    ['DDPM', ddpm, 900, 50],
    ['flow', flowProcess(), 950, 50],
  ];
  it.each(
    stretches.flatMap(([name, process, from, to]) => deterministic.map((s) => [name, s, process, from, to] as const)),
  )('%s, %s follows the probability-flow ODE with the right order', (_name, sampler, process, from, to) => {
    const start = 1.9;
    const truth = probabilityFlow(mean, std, process.at(from), process.at(to), start);
    const errors = [32, 64, 128, 256].map((steps) => {
      const levels = Array.from({ length: steps + 1 }, (_, i) => process.at(from + ((to - from) * i) / steps));
      const x = sample(normal(mean, std), levels, samplerUpdates[sampler](levels), start);
      return Math.abs(x - truth);
    });
    const order = Math.log2(errors[2] / errors[3]);
    const expected = sampler === 'dpmpp-2m' ? 2 : 1;
    expect(order).toBeGreaterThan(expected - 0.15);
    expect(order).toBeLessThan(expected + 0.15);
    expect(errors[3]).toBeLessThan(errors[0] / 2 ** (2.5 * expected));
  });

  it('in 20 steps DPM-Solver++ 2M is at least four times as close as DDIM', () => {
    const levels = noiseLevels(flowProcess(), 20);
    const distance = (sampler: SamplerName) =>
      Math.abs(Math.sqrt(moments(mean, std, levels, samplerUpdates[sampler](levels)).variance) - std);
    expect(distance('dpmpp-2m')).toBeLessThan(distance('ddim') / 4);
  });

  it('without fresh noise DDIM keeps the order of the starting points, with it DDPM forgets them', () => {
    const levels = noiseLevels(ddpm, 200);
    const slope = (updates: readonly Update[]) =>
      sample(normal(mean, std), levels, updates, 1) - sample(normal(mean, std), levels, updates, 0);
    expect(Math.abs(slope(samplerUpdates.ddim(levels)) - std)).toBeLessThan(0.02);
    expect(Math.abs(slope(samplerUpdates.ddpm(levels)))).toBeLessThan(0.01);
  });
});

describe('a mixture of two normals with the ideal denoiser', () => {
  const mixture: Mixture = { weights: [0.35, 0.65], means: [-1.2, 0.8], stds: [0.2, 0.4] };
  const probabilities = [0.02, 0.1, 0.2, 0.34, 0.4, 0.5, 0.7, 0.9, 0.98];

  // In one dimension the probability-flow ODE maps quantiles to quantiles, which gives its solution in closed form.
  it.each(processes.flatMap(([name, process]) => deterministic.map((s) => [name, s, process] as const)))(
    '%s, %s maps each quantile of noise to that quantile of the data',
    (_name, sampler, process) => {
      const levels = noiseLevels(process, 300, usualSpacing(sampler, process));
      const updates = samplerUpdates[sampler](levels);
      for (const probability of probabilities) {
        const x = sample(mixture, levels, updates, quantile(mixture, probability, levels[0]));
        expect(Math.abs(distribution(mixture, x, DATA) - probability)).toBeLessThan(0.01);
      }
    },
  );

  it.each([...ancestral, 'lcm'] as SamplerName[])(
    '%s, by Monte Carlo with Philox noise, fills both modes as the data do',
    (sampler) => {
      const process = flowProcess();
      // Consistency sampling is made for one-step denoisers: with the ideal one of many-step sampling it needs tiny steps late.
      const steps = 100;
      const { initialScale, steps: table } = samplerTable({ sampler, process, prediction: 'x0', steps });
      const levels = noiseLevels(process, steps, usualSpacing(sampler, process));
      const n = 4000;
      let x = Float64Array.from(gaussianNoise(n, 3, 0), (value) => initialScale * value);
      table.forEach((step, i) => {
        const noise = gaussianNoise(n, 3, i + 1);
        x = x.map((value, k) => step.a * value + step.b * idealDenoiser(mixture, value, levels[i]) + step.d * noise[k]);
      });
      const below = x.filter((value) => value < -0.4).length / n;
      const expected = distribution(mixture, -0.4, DATA);
      expect(Math.abs(below - expected)).toBeLessThan(sampler === 'lcm' ? 0.1 : 0.04);
      const left = x.filter((value) => value < -0.4);
      expect(left.reduce((a, b) => a + b, 0) / left.length).toBeCloseTo(-1.2, 1);
    },
  );
});
