// Noise schedules against their papers' numbers, and the spacings against the ones that reference implementations use.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  alphaBars,
  cosineBetas,
  createProcess,
  DATA,
  discreteProcess,
  flowProcess,
  karrasSigmas,
  linearBetas,
  noiseLevels,
  type Process,
  rescaleZeroTerminalSnr,
  type Spacing,
  scaledLinearBetas,
} from '../../src/diffusion/schedule';

const ddpm = createProcess({ schedule: 'linear', timesteps: 1000, betaStart: 1e-4, betaEnd: 0.02 });
const sd = createProcess({ schedule: 'scaled-linear', timesteps: 1000, betaStart: 0.00085, betaEnd: 0.012 });
const zeroSnr = createProcess({ schedule: 'cosine', timesteps: 1000, zeroTerminalSnr: true });
const processes: [string, Process][] = [
  ['DDPM', ddpm],
  ['Stable Diffusion', sd],
  ['zero terminal SNR', zeroSnr],
  ['cosine, 50 timesteps', createProcess({ schedule: 'cosine', timesteps: 50 })],
  ['flow', createProcess({ schedule: 'flow', shift: 1 })],
  ['shifted flow', createProcess({ schedule: 'flow', shift: 3 })],
];
const spacings: Spacing[] = ['leading', 'trailing', 'linspace', 'cosine', 'karras'];

describe('betas', () => {
  it('are linear in β, and linear in √β', () => {
    const linear = linearBetas(1000, 1e-4, 0.02);
    expect([linear[0], linear[999]]).toEqual([1e-4, 0.02]);
    expect(linear[500] - linear[499]).toBeCloseTo(0.0199 / 999, 15);
    const scaled = scaledLinearBetas(1000, 0.00085, 0.012);
    expect(scaled[0]).toBeCloseTo(0.00085, 15);
    expect(scaled[999]).toBeCloseTo(0.012, 15);
    expect(Math.sqrt(scaled[500]) - Math.sqrt(scaled[499])).toBeCloseTo(
      (Math.sqrt(0.012) - Math.sqrt(0.00085)) / 999,
      15,
    );
  });

  it('multiply to ᾱ: 4.04e-5 at the end of DDPM, σ from 0.0292 to 14.61 for Stable Diffusion', () => {
    expect(ddpm.at(1000).alpha ** 2).toBeCloseTo(4.0358e-5, 8);
    expect(sd.at(1).sigma / sd.at(1).alpha).toBeCloseTo(0.02917, 5);
    expect(sd.at(1000).sigma / sd.at(1000).alpha).toBeCloseTo(14.6146, 4);
  });

  it('of the cosine schedule give ᾱ = cos² until they are clipped', () => {
    const alphaBar = alphaBars(cosineBetas(1000));
    const f = (t: number) => Math.cos(((t / 1000 + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
    for (const t of [1, 10, 500, 990]) expect(alphaBar[t - 1] / (f(t) / f(0))).toBeCloseTo(1, 10);
    expect(cosineBetas(1000)[999]).toBe(0.999);
  });

  it('rescaled to zero terminal SNR end without signal and keep the first ᾱ', () => {
    const before = alphaBars(scaledLinearBetas(1000, 0.00085, 0.012));
    const after = rescaleZeroTerminalSnr(before);
    expect(after[999]).toBe(0);
    expect(after[0]).toBeCloseTo(before[0], 14);
    for (let i = 1; i < 1000; i++) expect(after[i]).toBeLessThan(after[i - 1]);
  });
});

describe.each(processes)('process %s', (_name, process) => {
  it('goes from little noise to much, without a step back', () => {
    let before = process.at(process.length / 2000);
    for (let i = 2; i <= 2000; i++) {
      const level = process.at((process.length * i) / 2000);
      expect(level.sigma * before.alpha).toBeGreaterThan(before.sigma * level.alpha);
      before = level;
    }
  });

  it('finds the count of any noise level', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.02, max: 0.98, noNaN: true }), (u) => {
        const count = u * process.length;
        const { alpha, sigma } = process.at(count);
        expect(process.countOf(sigma / alpha) / process.length).toBeCloseTo(u, 9);
      }),
    );
  });

  it.each(spacings)('gives a finite, strictly descending trajectory for %s and 1 to 200 steps', (spacing) => {
    for (let steps = 1; steps <= 200; steps++) {
      const levels = noiseLevels(process, steps, spacing);
      expect(levels).toHaveLength(steps + 1);
      expect(levels[steps]).toBe(DATA);
      for (let i = 0; i < steps; i++) {
        const [t, s] = [levels[i], levels[i + 1]];
        // One assertion per trajectory would say as much, but not where.
        if (!(s.sigma * t.alpha < t.sigma * s.alpha) || !Number.isFinite(t.timestep)) {
          throw new Error(`${steps} steps: level ${i} is ${JSON.stringify(t)}, then ${JSON.stringify(s)}`);
        }
      }
    }
  });
});

describe('process', () => {
  it.each(processes.slice(0, 4))('%s preserves variance between timesteps too', (_name, process) => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (u) => {
        const { alpha, sigma } = process.at(u * process.length);
        expect(alpha ** 2 + sigma ** 2).toBeCloseTo(1, 12);
      }),
    );
  });

  it('hands the network the timestep that it was trained on', () => {
    expect(sd.at(1000).timestep).toBe(999);
    expect(sd.at(1).timestep).toBe(0);
    expect(flowProcess().at(250)).toEqual({ alpha: 0.75, sigma: 0.25, timestep: 0.25 });
  });

  it('reaches exactly no signal where it should', () => {
    expect(zeroSnr.at(1000)).toEqual({ alpha: 0, sigma: 1, timestep: 999 });
    expect(flowProcess(3).at(1000)).toEqual({ alpha: 0, sigma: 1, timestep: 1 });
  });

  it('shifts the time of flows: σ ← sσ/(1 + (s - 1)σ)', () => {
    expect(flowProcess(3).at(500).sigma).toBeCloseTo(0.75, 15);
    expect(flowProcess(1).at(500).sigma).toBe(0.5);
  });

  it('interpolates between the ᾱ of its neighbours', () => {
    const process = discreteProcess(Float64Array.of(0.9, 0.5, 0.1));
    expect(process.at(2).alpha ** 2).toBeCloseTo(0.5, 15);
    expect(process.at(1.5).alpha ** 2).toBeLessThan(0.9);
    expect(process.at(1.5).alpha ** 2).toBeGreaterThan(0.5);
    expect(process.at(0)).toMatchObject({ alpha: 1, sigma: 0 });
  });
});

describe('spacings', () => {
  const timesteps = (process: Process, steps: number, spacing: Spacing) =>
    noiseLevels(process, steps, spacing)
      .slice(0, steps)
      .map((level) => level.timestep);

  it('visit the timesteps of Lin et al. 2023, table 2', () => {
    expect(timesteps(sd, 10, 'trailing')).toEqual([999, 899, 799, 699, 599, 499, 399, 299, 199, 99]);
    expect(timesteps(sd, 10, 'leading')).toEqual([900, 800, 700, 600, 500, 400, 300, 200, 100, 0]);
    expect(timesteps(sd, 10, 'linspace')).toEqual([999, 888, 777, 666, 555, 444, 333, 222, 111, 0]);
  });

  it('of flows make equal steps of t', () => {
    expect(timesteps(flowProcess(), 4, 'trailing')).toEqual([1, 0.75, 0.5, 0.25]);
  });

  it("of a cosine schedule make equal steps of the angle, before the process's shift", () => {
    const levels = noiseLevels(flowProcess(), 6, 'cosine');
    noiseLevels(flowProcess(8), 6, 'cosine').forEach((shifted, i) => {
      const t = levels[i]!.sigma;
      expect(shifted.sigma).toBeCloseTo((8 * t) / (1 + 7 * t), 12);
    });
    levels.forEach((level, i) => {
      expect(Math.atan2(level.sigma, level.alpha)).toBeCloseTo((Math.PI / 2) * (1 - i / 6), 12);
    });
  });

  it("of Karras follow his equation 5, from σ_max to σ_min, and the process' levels follow them", () => {
    const sigmas = karrasSigmas(5, 0.002, 80);
    expect(sigmas[0]).toBeCloseTo(80, 10);
    expect(sigmas[4]).toBeCloseTo(0.002, 12);
    expect(sigmas[2]).toBeCloseTo(((80 ** (1 / 7) + 0.002 ** (1 / 7)) / 2) ** 7, 10);
    const [min, max] = sd.ratios;
    const expected = karrasSigmas(7, min, max);
    noiseLevels(sd, 7, 'karras')
      .slice(0, 7)
      .forEach((level, i) => {
        expect(level.sigma / level.alpha / expected[i]).toBeCloseTo(1, 9);
      });
  });

  it.each([1, 8])('of Karras keep to the times that a flow was trained on, shifted by %i', (shift) => {
    const times = timesteps(flowProcess(shift), 5, 'karras');
    expect(times[0]).toBeCloseTo((shift * 20) / (shift * 20 + 1), 12);
    expect(times[4]).toBeCloseTo(1 / 21, 12);
  });

  it.each([0, -1, 1.5, 1e9, Number.NaN])('refuse %s steps', (steps) => {
    expect(() => noiseLevels(sd, steps)).toThrow('steps must be an integer from 1 to 1000');
  });
});
