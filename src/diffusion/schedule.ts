// Noise schedules: how much signal and noise there is at each time, and at which times a sampler visits. Not the samplers.

/** One time of a Gaussian process: x = alpha · x0 + sigma · ε, and the number that tells the network which time it is. */
export interface NoiseLevel {
  readonly alpha: number;
  readonly sigma: number;
  readonly timestep: number;
}

/** Clean data: where every trajectory ends. */
export const DATA: NoiseLevel = { alpha: 1, sigma: 0, timestep: 0 };

/**
 * A Gaussian process from data (count 0) to noise (count `length`). Counts may be fractions.
 * Its `timestep` is what the network was trained on: the index count - 1 in 0..length-1 for discrete processes, t in 0..1
 * for flows.
 */
export interface Process {
  readonly length: number;
  /** Whether the network has only seen whole counts, so that spacings should be rounded to them. */
  readonly discrete: boolean;
  /** The model's own. */
  readonly spacing: Spacing;
  /** [smallest, largest] sigma / alpha between which Karras' schedule runs. */
  readonly ratios: readonly [number, number];
  at(count: number): NoiseLevel;
  /** The count where sigma / alpha is `ratio`. */
  countOf(ratio: number): number;
}

export type Spacing = 'leading' | 'trailing' | 'linspace' | 'cosine' | 'karras';

export type ProcessOptions =
  | { readonly schedule: 'flow'; readonly shift: number }
  | {
      readonly schedule: 'linear' | 'scaled-linear';
      readonly timesteps: number;
      readonly betaStart: number;
      readonly betaEnd: number;
      readonly zeroTerminalSnr?: boolean;
      readonly spacing?: Spacing;
    }
  | {
      readonly schedule: 'cosine';
      readonly timesteps: number;
      readonly zeroTerminalSnr?: boolean;
      readonly spacing?: Spacing;
    };

/** The process that a model's manifest names. */
export function createProcess(options: ProcessOptions): Process {
  if (options.schedule === 'flow') return flowProcess(options.shift);
  const betas =
    options.schedule === 'cosine'
      ? cosineBetas(options.timesteps)
      : options.schedule === 'linear'
        ? linearBetas(options.timesteps, options.betaStart, options.betaEnd)
        : scaledLinearBetas(options.timesteps, options.betaStart, options.betaEnd);
  const alphaBar = alphaBars(betas);
  return discreteProcess(options.zeroTerminalSnr ? rescaleZeroTerminalSnr(alphaBar) : alphaBar, options.spacing);
}

/** β rising linearly (Ho et al., "Denoising diffusion probabilistic models", 2020: 1e-4 to 0.02 in 1000 steps). */
export function linearBetas(timesteps: number, start: number, end: number): Float64Array {
  return Float64Array.from({ length: timesteps }, (_, i) => start + (end - start) * (i / Math.max(timesteps - 1, 1)));
}

/** √β rising linearly (Rombach et al., "High-resolution image synthesis with latent diffusion models", 2022). */
export function scaledLinearBetas(timesteps: number, start: number, end: number): Float64Array {
  return linearBetas(timesteps, Math.sqrt(start), Math.sqrt(end)).map((root) => root * root);
}

/** ᾱ = cos²((t/T + s)/(1 + s) · π/2), s = 0.008, β ≤ 0.999 (Nichol and Dhariwal, "Improved DDPM", 2021, eq. 17). */
export function cosineBetas(timesteps: number): Float64Array {
  const alphaBar = (t: number) => Math.cos(((t / timesteps + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
  return Float64Array.from({ length: timesteps }, (_, i) => Math.min(1 - alphaBar(i + 1) / alphaBar(i), 0.999));
}

/** ᾱ_t = Π (1 - β_i), i ≤ t. */
export function alphaBars(betas: Float64Array): Float64Array {
  let product = 1;
  return betas.map((beta) => {
    product *= 1 - beta;
    return product;
  });
}

/** Shifts and scales √ᾱ so that the last is 0 and the first is kept (Lin et al., "Common diffusion noise schedules and
 * sample steps are flawed", 2023, algorithm 1). */
export function rescaleZeroTerminalSnr(alphaBar: Float64Array): Float64Array {
  const first = Math.sqrt(alphaBar[0]!);
  const last = Math.sqrt(alphaBar[alphaBar.length - 1]!);
  return alphaBar.map((value) => (((Math.sqrt(value) - last) * first) / (first - last)) ** 2);
}

/**
 * A variance-preserving process, alpha² + sigma² = 1, from ᾱ of each timestep.
 * Between whole counts the angle atan2(sigma, alpha) is linear: it stays finite where sigma / alpha does not.
 */
export function discreteProcess(alphaBar: Float64Array, spacing: Spacing = 'trailing'): Process {
  const length = alphaBar.length;
  const angles = [0, ...Array.from(alphaBar, (value) => Math.atan2(Math.sqrt(1 - value), Math.sqrt(value)))];
  const at = (count: number): NoiseLevel => {
    const timestep = Math.max(count - 1, 0);
    const low = Math.min(Math.max(Math.floor(count), 0), length);
    if (low === count && count > 0) {
      // On a whole count ᾱ itself, so that an ᾱ of 0 is an alpha of 0, not cos(π/2) ≈ 6e-17.
      const value = alphaBar[count - 1]!;
      return { alpha: Math.sqrt(value), sigma: Math.sqrt(1 - value), timestep };
    }
    const high = Math.min(low + 1, length);
    const angle = angles[low]! + (angles[high]! - angles[low]!) * (count - low);
    return { alpha: Math.cos(angle), sigma: Math.sin(angle), timestep };
  };
  const countOf = (ratio: number): number => {
    const angle = Math.atan(ratio);
    let low = 0;
    let high = length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (angles[middle]! <= angle) low = middle;
      else high = middle;
    }
    const fraction = (angle - angles[low]!) / (angles[high]! - angles[low]!);
    return low + Math.min(Math.max(fraction, 0), 1);
  };
  const ratios = [ratioOf(at(1)), Math.min(ratioOf(at(length)), MAX_RATIO)] as const;
  return { length, discrete: true, spacing, ratios, at, countOf };
}

/**
 * Rectified flow, x = (1 - t) x0 + t ε (Liu et al., 2022; Lipman et al., 2022), with the time shift of Esser et al.,
 * "Scaling rectified flow transformers", 2024, eq. 23: t ← s·t / (1 + (s - 1)·t). The timestep is t after the shift.
 */
export function flowProcess(shift = 1): Process {
  const length = 1000; // only divides: spacings use it, the process is continuous
  return {
    length,
    discrete: false,
    spacing: 'trailing',
    ratios: [LEAST_FLOW_RATIO, shift * MOST_FLOW_RATIO],
    at: (count) => {
      const u = count / length;
      const t = (shift * u) / (1 + (shift - 1) * u);
      return { alpha: 1 - t, sigma: t, timestep: t };
    },
    countOf: (ratio) => {
      const t = ratio === Number.POSITIVE_INFINITY ? 1 : ratio / (1 + ratio);
      return (length * t) / (shift - (shift - 1) * t);
    },
  };
}

/** The largest noise of Karras et al., "Elucidating the design space of diffusion-based generative models" (EDM), 2022,
 * table 1: it caps processes that reach zero signal. */
const MAX_RATIO = 80;

/**
 * t from 1/21 to 20/21 before the shift: a flow trained with logit-normal times has hardly seen those outside. The shift, which
 * multiplies σ/α, makes more of the noisy end, and leaves what is finest where it is.
 */
const [LEAST_FLOW_RATIO, MOST_FLOW_RATIO] = [1 / 20, 20];

function ratioOf(level: NoiseLevel): number {
  return level.sigma / level.alpha;
}

/**
 * The counts that `steps` evaluations visit, descending from at most `length` to above 0. Names are those of Lin et al. 2023,
 * table 2:
 * - 'trailing' begins at pure noise for any number of steps;
 * - 'leading' is DDIM's; with more steps than timesteps it is 'trailing';
 * - 'linspace' visits both ends;
 * - 'cosine', for flows, takes equal steps of the angle atan2(σ, α), as a cosine schedule does, before the process's shift.
 */
function spacedCounts(spacing: Exclude<Spacing, 'karras'>, length: number, steps: number): Float64Array {
  const trailing = (i: number) => length * (1 - i / steps);
  const cosine = (i: number) => {
    const angle = (Math.PI / 2) * (1 - i / steps);
    return (length * Math.sin(angle)) / (Math.sin(angle) + Math.cos(angle));
  };
  const at: Record<typeof spacing, (i: number) => number> = {
    trailing,
    cosine,
    linspace: (i) => (steps === 1 ? length : length - (i * (length - 1)) / (steps - 1)),
    leading: (i) => (steps > length ? trailing(i) : (steps - 1 - i) * Math.floor(length / steps) + 1),
  };
  return Float64Array.from({ length: steps }, (_, i) => at[spacing](i));
}

/** σ_i = (max^(1/ρ) + i/(n-1) · (min^(1/ρ) - max^(1/ρ)))^ρ (EDM, eq. 5), without the final 0. */
export function karrasSigmas(steps: number, min: number, max: number, rho = 7): Float64Array {
  const [low, high] = [min ** (1 / rho), max ** (1 / rho)];
  return Float64Array.from({ length: steps }, (_, i) => (high + (i / Math.max(steps - 1, 1)) * (low - high)) ** rho);
}

/**
 * The trajectory of a sampler: `steps` noise levels where the network is evaluated, descending, then DATA.
 * @throws RangeError unless steps is an integer from 1 to 1000
 */
export function noiseLevels(process: Process, steps: number, spacing: Spacing = 'trailing'): readonly NoiseLevel[] {
  if (!Number.isInteger(steps) || steps < 1 || steps > 1000) {
    throw new RangeError(`steps must be an integer from 1 to 1000, but it is ${steps}`);
  }
  if (spacing === 'karras') {
    const [min, max] = process.ratios;
    const sigmas = karrasSigmas(steps, min, max);
    return [...Array.from(sigmas, (sigma) => process.at(process.countOf(sigma))), DATA];
  }
  const counts = Array.from(spacedCounts(spacing, process.length, steps));
  const whole = process.discrete && spacing !== 'cosine' && steps <= process.length;
  return [...counts.map((count) => process.at(whole ? Math.round(count) : count)), DATA];
}
