// The forward process: how data turn into noise. DDPM's steps follow from its transitions; the rest is for tests. It draws no noise.
import type { NoiseLevel } from './schedule';

/** x' = scale · x + std · ε. */
export interface GaussianKernel {
  readonly scale: number;
  readonly std: number;
}

/** q(x_t | x_0) = N(alpha · x0, sigma²): Ho et al. 2020, eq. 4, with alpha = √ᾱ_t and sigma = √(1 - ᾱ_t). */
export function marginal(level: NoiseLevel): GaussianKernel {
  return { scale: level.alpha, std: level.sigma };
}

/**
 * q(x_t | x_s) for s before t: Kingma et al., "Variational diffusion models", 2021, eq. 4.
 * Between neighbouring timesteps of a variance-preserving process that is Ho et al. 2020, eq. 2: scale √(1 - β), std √β.
 */
export function transition(from: NoiseLevel, to: NoiseLevel): GaussianKernel {
  const scale = to.alpha / from.alpha;
  return { scale, std: Math.sqrt(Math.max(to.sigma ** 2 - (scale * from.sigma) ** 2, 0)) };
}

/**
 * A sample of a kernel: scale · x + std · noise, elementwise.
 * @throws RangeError where the lengths differ
 */
export function diffuse(x: Float32Array, kernel: GaussianKernel, noise: Float32Array): Float32Array {
  if (x.length !== noise.length) {
    throw new RangeError(`the noise must have the ${x.length} elements of x, but it has ${noise.length}`);
  }
  return x.map((value, i) => kernel.scale * value + kernel.std * noise[i]!);
}
