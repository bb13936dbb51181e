// Data distributions whose ideal denoiser and whose samplers' results are known in closed form, in f64. No network, no GPU.
import type { Update } from '../../src/diffusion/samplers';
import type { NoiseLevel } from '../../src/diffusion/schedule';

/** One-dimensional mixture of normals; a single component is a normal distribution. */
export interface Mixture {
  readonly weights: readonly number[];
  readonly means: readonly number[];
  readonly stds: readonly number[];
}

export function normal(mean: number, std: number): Mixture {
  return { weights: [1], means: [mean], stds: [std] };
}

/** E[x0 | x] for x = alpha·x0 + sigma·ε: the denoiser that no training can beat. */
export function idealDenoiser({ weights, means, stds }: Mixture, x: number, { alpha, sigma }: NoiseLevel): number {
  const parts = weights.map((weight, i) => {
    const variance = (alpha * stds[i]) ** 2 + sigma ** 2;
    const residual = x - alpha * means[i];
    return {
      log: Math.log(weight) - residual ** 2 / (2 * variance) - Math.log(variance) / 2,
      mean: means[i] + ((alpha * stds[i] ** 2) / variance) * residual,
    };
  });
  const largest = Math.max(...parts.map((part) => part.log));
  const masses = parts.map((part) => Math.exp(part.log - largest));
  return parts.reduce((sum, part, i) => sum + masses[i] * part.mean, 0) / masses.reduce((a, b) => a + b);
}

/** P(x_t ≤ x). */
export function distribution({ weights, means, stds }: Mixture, x: number, { alpha, sigma }: NoiseLevel): number {
  return weights.reduce(
    (sum, weight, i) => sum + weight * normalDistribution((x - alpha * means[i]) / Math.hypot(alpha * stds[i], sigma)),
    0,
  );
}

/** The x with P(x_t ≤ x) = probability, by bisection. */
export function quantile(mixture: Mixture, probability: number, level: NoiseLevel): number {
  let low = -1000;
  let high = 1000;
  for (let i = 0; i < 90; i++) {
    const middle = (low + high) / 2;
    if (distribution(mixture, middle, level) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Φ(z) by its Taylor series about 0, Φ(z) = 1/2 + φ(z)·Σ z^(2k+1)/(2k+1)!!; exact to rounding for |z| < 8. */
export function normalDistribution(z: number): number {
  if (z > 8) return 1;
  if (z < -8) return 0;
  let term = z;
  let sum = z;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return 0.5 + sum * Math.exp((-z * z) / 2) * (1 / Math.sqrt(2 * Math.PI));
}

/** Runs a deterministic sampler on one number. */
export function sample(
  mixture: Mixture,
  levels: readonly NoiseLevel[],
  updates: readonly Update[],
  start: number,
): number {
  let x = start;
  let previous = 0;
  updates.forEach((update, i) => {
    const denoised = idealDenoiser(mixture, x, levels[i]);
    x = update.a * x + update.b * denoised + update.c * previous;
    previous = denoised;
  });
  return x;
}

/**
 * Mean and variance of a sampler's result on normal data, propagated exactly: there x̂0 is an affine function of x, so the
 * state (x, previous x̂0) stays Gaussian. Starts at the true marginal of the first level.
 */
export function moments(
  mean: number,
  std: number,
  levels: readonly NoiseLevel[],
  updates: readonly Update[],
): { mean: number; variance: number } {
  const [first] = levels;
  let mx = first.alpha * mean;
  let md = 0;
  let vxx = (first.alpha * std) ** 2 + first.sigma ** 2;
  let vxd = 0;
  let vdd = 0;
  updates.forEach(({ a, b, c, d }, i) => {
    const { alpha, sigma } = levels[i];
    const gain = (alpha * std ** 2) / ((alpha * std) ** 2 + sigma ** 2);
    const mean0 = mean + gain * (mx - alpha * mean);
    // x' = u·x + c·previous + constant + d·noise, with u = a + b·gain; the new previous is gain·x + constant.
    const u = a + b * gain;
    const next = u * u * vxx + 2 * u * c * vxd + c * c * vdd + d * d;
    vxd = gain * (u * vxx + c * vxd);
    vdd = gain * gain * vxx;
    vxx = next;
    mx = a * mx + b * mean0 + c * md;
    md = mean0;
  });
  return { mean: mx, variance: vxx };
}

/** The probability-flow ODE of normal data in closed form: it keeps (x - mean) / standard deviation. */
export function probabilityFlow(mean: number, std: number, from: NoiseLevel, to: NoiseLevel, x: number): number {
  const spread = (level: NoiseLevel) => Math.hypot(level.alpha * std, level.sigma);
  return to.alpha * mean + (spread(to) / spread(from)) * (x - from.alpha * mean);
}
