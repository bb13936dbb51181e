// Every sampler's table: its textbook formula, its safety at the ends, and how it is put together.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ddim, samplerTable, samplerUpdates, type Update, usualSpacing } from '../../src/diffusion/samplers';
import {
  alphaBars,
  createProcess,
  DATA,
  flowProcess,
  linearBetas,
  type NoiseLevel,
  noiseLevels,
  type Process,
} from '../../src/diffusion/schedule';
import { type SamplerName, samplerNames } from '../../src/sampler-names';
import { idealDenoiser, moments, normal, sample } from '../reference/analytic';
import { ddpm, processes } from './processes';

const names = samplerNames;

/** Two neighbouring levels of any process, the first noisier. */
const jump = fc
  .tuple(fc.constantFrom(...processes), fc.integer({ min: 1, max: 999 }), fc.integer({ min: 1, max: 1000 }))
  .filter(([, s, t]) => s < t)
  .map(([[, process], s, t]) => [process.at(t), process.at(s)] as const);

function close(update: Update, expected: Partial<Update>): void {
  for (const [key, value] of Object.entries(expected)) expect(update[key as keyof Update]).toBeCloseTo(value, 10);
}

describe('textbook formulas', () => {
  const alphaBar = alphaBars(linearBetas(1000, 1e-4, 0.02));

  it('DDPM: the posterior mean and β̃ of Ho et al., step by step', () => {
    const levels = [...Array.from({ length: 1000 }, (_, i) => ddpm.at(1000 - i)), DATA];
    const updates = samplerUpdates.ddpm(levels);
    linearBetas(1000, 1e-4, 0.02).forEach((beta, t) => {
      const [bar, before] = [alphaBar[t], t === 0 ? 1 : alphaBar[t - 1]];
      close(updates[999 - t], {
        a: (Math.sqrt(1 - beta) * (1 - before)) / (1 - bar),
        b: (Math.sqrt(before) * beta) / (1 - bar),
        c: 0,
        d: Math.sqrt(((1 - before) / (1 - bar)) * beta),
      });
    });
  });

  it('DDIM: √ᾱ′·x0 + √(1 - ᾱ′ - σ²)·ε + σ·z', () => {
    const step = fc
      .tuple(fc.integer({ min: 1, max: 999 }), fc.integer({ min: 2, max: 1000 }))
      .filter(([s, t]) => s < t);
    fc.assert(
      fc.property(step, fc.double({ min: 0, max: 1, noNaN: true }), ([s, t], eta) => {
        const [bar, next] = [alphaBar[t - 1], alphaBar[s - 1]];
        const std = eta * Math.sqrt((1 - next) / (1 - bar)) * Math.sqrt(1 - bar / next);
        const direction = Math.sqrt(1 - next - std ** 2);
        const [x, x0] = [0.3, -1.1];
        const epsilon = (x - Math.sqrt(bar) * x0) / Math.sqrt(1 - bar);
        const [update] = ddim([ddpm.at(t), ddpm.at(s)], eta);
        expect(update.a * x + update.b * x0).toBeCloseTo(Math.sqrt(next) * x0 + direction * epsilon, 10);
        expect(update.d).toBeCloseTo(std, 7);
      }),
    );
  });

  it('Euler: x + (σ′ - σ)(x - x0)/σ, in x / alpha', () => {
    fc.assert(
      fc.property(jump, ([t, s]) => {
        fc.pre(t.alpha > 1e-3);
        const [from, to] = [t.sigma / t.alpha, s.sigma / s.alpha];
        const [x, x0] = [1.3, 0.4];
        const y = x / t.alpha;
        const [update] = samplerUpdates.euler([t, s]);
        expect((update.a * x + update.b * x0) / s.alpha).toBeCloseTo(y + ((to - from) * (y - x0)) / from, 8);
      }),
    );
  });

  it('Euler ancestral: down to σ_down, then up by σ_up, in x / alpha', () => {
    fc.assert(
      fc.property(jump, ([t, s]) => {
        fc.pre(t.alpha > 1e-3);
        const [from, to] = [t.sigma / t.alpha, s.sigma / s.alpha];
        const up = Math.sqrt((to ** 2 * (from ** 2 - to ** 2)) / from ** 2);
        const down = Math.sqrt(to ** 2 - up ** 2);
        const [x, x0] = [1.3, 0.4];
        const y = x / t.alpha;
        const [update] = samplerUpdates['euler-ancestral']([t, s]);
        expect((update.a * x + update.b * x0) / s.alpha).toBeCloseTo(y + ((down - from) * (y - x0)) / from, 6);
        expect(update.d / s.alpha).toBeCloseTo(up, 7);
      }),
    );
  });

  it('DPM-Solver++ 2M: (σ′/σ)x - α′(e^-h - 1)(D0 + (D0 - D1)/2r)', () => {
    const counts = fc.uniqueArray(fc.integer({ min: 1, max: 999 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.constantFrom(...processes), counts, ([, process], picked) => {
        const [r, t, s] = picked.sort((a, b) => b - a).map((count) => process.at(count));
        const lambda = (level: NoiseLevel) => Math.log(level.alpha / level.sigma);
        const h = lambda(s) - lambda(t);
        const ratio = (lambda(t) - lambda(r)) / h;
        const factor = -s.alpha * (Math.exp(-h) - 1);
        const [first, second] = samplerUpdates['dpmpp-2m']([r, t, s]);
        const scale = 1 + 1 / ratio; // unevenly spaced steps make large coefficients
        expect(second.a).toBeCloseTo(s.sigma / t.sigma, 12);
        expect((second.b - factor * (1 + 1 / (2 * ratio))) / scale).toBeCloseTo(0, 9);
        expect((second.c + factor / (2 * ratio)) / scale).toBeCloseTo(0, 9);
        close(first, samplerUpdates.ddim([r, t])[0]);
      }),
    );
  });

  it('flow Euler: x + (t′ - t)·v with v = ε - x0', () => {
    const times = fc
      .tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 0, max: 999 }))
      .filter(([t, s]) => s < t);
    fc.assert(
      fc.property(times, ([t, s]) => {
        const [from, to] = [flowProcess().at(t), flowProcess().at(s)];
        const [x, x0] = [0.7, -0.2];
        const v = (x - x0) / from.sigma; // ε - x0 where x = (1 - t)·x0 + t·ε
        const [update] = samplerUpdates['flow-euler']([from, to]);
        expect(update.a * x + update.b * x0).toBeCloseTo(x + ((s - t) / 1000) * v, 10);
      }),
    );
  });

  it('on the same levels Euler and flow Euler are DDIM, and Euler ancestral and DDIM with η = 1 are DDPM', () => {
    fc.assert(
      fc.property(jump, ([t, s]) => {
        const [ddimStep] = samplerUpdates.ddim([t, s]);
        close(samplerUpdates.euler([t, s])[0], ddimStep);
        close(samplerUpdates['flow-euler']([t, s])[0], ddimStep);
        const [ddpmStep] = samplerUpdates.ddpm([t, s]);
        close(samplerUpdates['euler-ancestral']([t, s])[0], ddpmStep);
        close(ddim([t, s], 1)[0], ddpmStep);
      }),
    );
  });
});

describe.each(processes)('tables on %s', (_name, process) => {
  it.each(names)('%s: 1 to 200 steps are finite in f32, use no previous at first, and end in x̂0 exactly', (sampler) => {
    const wrong: string[] = [];
    for (let steps = 1; steps <= 200; steps++) {
      const { initialScale, steps: table } = samplerTable({ sampler, process, prediction: 'v', steps });
      const { a, b, c, d } = table[table.length - 1];
      if (table.length !== steps) wrong.push(`${steps} steps: ${table.length}`);
      if (table[0].c !== 0) wrong.push(`${steps} steps: the first one uses a previous x̂0`);
      if (a !== 0 || b !== 1 || c !== 0 || d !== 0) wrong.push(`${steps} steps: the last one is ${[a, b, c, d]}`);
      for (const values of [[initialScale], ...table.map(Object.values)]) {
        if (!values.every((value) => Number.isFinite(Math.fround(value)))) wrong.push(`${steps} steps: ${values}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it.each(names)('%s keeps the marginals of the forward process exactly where the data are one point', (sampler) => {
    // x̂0 is then known without error, so x must stay N(alpha·x0, sigma²) for any number of steps, ancestral or not.
    for (const steps of [1, 2, 5, 50]) {
      const levels = noiseLevels(process, steps, usualSpacing(sampler, process));
      const updates = samplerUpdates[sampler](levels);
      for (let i = 1; i < steps; i++) {
        const { mean, variance } = moments(0.8, 0, levels.slice(0, i + 1), updates.slice(0, i));
        expect(mean).toBeCloseTo(levels[i].alpha * 0.8, 8);
        expect(variance / levels[i].sigma ** 2).toBeCloseTo(1, 8);
      }
    }
  });
});

describe('samplerTable', () => {
  it('is plain flow Euler in equal steps for the embedded model', () => {
    const { initialScale, steps } = samplerTable({
      sampler: 'flow-euler',
      process: flowProcess(),
      prediction: 'flow',
      steps: 4,
    });
    expect(initialScale).toBe(1);
    expect(steps.map((step) => step.timestep)).toEqual([1, 0.75, 0.5, 0.25]);
    // x' = x - v/4, through x̂0 = x - t·v.
    for (const { a, b, p, q } of steps) {
      expect(a + b * p).toBeCloseTo(1, 14);
      expect(b * q).toBeCloseTo(-0.25, 14);
    }
  });

  it.each(['epsilon', 'v', 'x0', 'flow'] as const)('reaches the same samples through a %s output', (prediction) => {
    const process = createProcess({ schedule: 'cosine', timesteps: 1000 });
    const data = normal(0.7, 0.6);
    const levels = noiseLevels(process, 25, 'karras');
    const { steps } = samplerTable({ sampler: 'dpmpp-2m', process, prediction, steps: 25 });
    const direct = sample(data, levels, samplerUpdates['dpmpp-2m'](levels), 1.1);
    let x = 1.1;
    let previous = 0;
    steps.forEach((step, i) => {
      const { alpha, sigma } = levels[i];
      const x0 = idealDenoiser(data, x, levels[i]);
      const noise = (x - alpha * x0) / sigma;
      const output = { epsilon: noise, v: alpha * noise - sigma * x0, x0, flow: noise - x0 }[prediction];
      const denoised = step.p * x + step.q * output;
      x = step.a * x + step.b * denoised + step.c * previous;
      previous = denoised;
    });
    expect(x).toBeCloseTo(direct, 9);
  });

  it('starts from noise of the spread that x has there for data of unit variance', () => {
    const scale = (process: Process) =>
      samplerTable({ sampler: 'ddim', process, prediction: 'v', steps: 9 }).initialScale;
    expect(scale(ddpm)).toBeCloseTo(1, 12);
    expect(scale(flowProcess())).toBe(1);
  });

  it('uses different times for samplers that would otherwise be the same', () => {
    const times = (sampler: SamplerName) =>
      samplerTable({ sampler, process: flowProcess(), prediction: 'flow', steps: 8 }).steps.map(
        (step) => step.timestep,
      );
    expect(new Set((['flow-euler', 'ddim', 'euler'] as const).map((name) => times(name).join())).size).toBe(3);
    expect(times('ddpm')).not.toEqual(times('euler-ancestral'));
  });

  it("steps where the model's manifest says", () => {
    const process = createProcess({ schedule: 'cosine', timesteps: 100, spacing: 'leading' });
    const { steps } = samplerTable({ sampler: 'ddim', process, prediction: 'v', steps: 4 });
    expect(steps.map((step) => step.timestep)).toEqual([75, 50, 25, 0]);
  });

  it('refuses steps out of range', () => {
    const options = { sampler: 'ddim', process: ddpm, prediction: 'v', steps: 0 } as const;
    expect(() => samplerTable(options)).toThrow('steps must be an integer from 1 to 1000, but it is 0');
  });
});
