// Samplers as tables of coefficients, in f64 on the CPU: x' = a·x + b·x̂0 + c·(previous x̂0) + d·noise. They run no network.
//
// Each is written for any Gaussian process x = alpha·x0 + sigma·ε, so it serves variance-preserving models and flows alike.
// On the same noise levels Euler and flow Euler are DDIM, and Euler ancestral is DDPM, exactly: in x / alpha as in the flow's
// own variable a straight step in time is the same mixture of x̂0 and ε̂. What tells them apart is where they step (usualSpacing).
import type { SamplerName } from '../sampler-names';
import { denoising, type Prediction } from './denoiser';
import { transition } from './forward';
import { type NoiseLevel, noiseLevels, type Process, type Spacing } from './schedule';

/** x' = a·x + b·x̂0 + c·previous x̂0 + d·noise; c is 0 on the first step. */
export interface Update {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/** One step: give the network x and timestep, x̂0 = p·x + q·output, then update. */
export interface StepCoefficients extends Update {
  readonly timestep: number;
  readonly p: number;
  readonly q: number;
}

/** The sampler loop: x = initialScale · noise, then every step in turn. The last one returns x̂0 exactly. */
export interface SamplerTable {
  readonly initialScale: number;
  readonly steps: readonly StepCoefficients[];
}

/** The updates between consecutive noise levels (from noise to data). */
export type Sampler = (levels: readonly NoiseLevel[]) => readonly Update[];

/**
 * Ancestral sampling: the posterior q(x_s | x_t, x̂0) with variance β̃.
 * Ho et al., "Denoising diffusion probabilistic models", 2020, eq. 6 and 7; between any two times, Kingma et al.,
 * "Variational diffusion models", 2021, eq. 25 to 27.
 */
const ddpm: Sampler = (levels) =>
  between(levels, (t, s) => {
    const { scale } = transition(s, t);
    const ratio = signalRatio(t, s);
    const added = 1 - ratio * ratio; // variance of x_t given x_s, over sigma_t²
    return { a: scale * (s.sigma / t.sigma) ** 2, b: s.alpha * added, c: 0, d: s.sigma * Math.sqrt(added) };
  });

/**
 * x_s = alpha_s·x̂0 + √(sigma_s² - σ²)·ε̂ + σ·z. The paper's family of samplers: `eta` 0, which the page uses, is DDIM, 1 is DDPM.
 * Song et al., "Denoising diffusion implicit models", 2021, eq. 12 and 16.
 */
export const ddim = (levels: readonly NoiseLevel[], eta = 0): readonly Update[] =>
  between(levels, (t, s) => {
    const ratio = signalRatio(t, s);
    const d = eta * s.sigma * Math.sqrt(1 - ratio * ratio);
    const direction = Math.sqrt(Math.max(s.sigma ** 2 - d * d, 0)); // times ε̂ = (x - alpha_t·x̂0) / sigma_t
    return { a: direction / t.sigma, b: s.alpha - (t.alpha * direction) / t.sigma, c: 0, d };
  });

/**
 * Euler steps of dy/dσ = (y - x̂0)/σ in y = x / alpha, σ = sigma / alpha; the scaling is folded into a and b.
 * Karras et al., "Elucidating the design space of diffusion-based generative models", 2022, algorithm 1 without the correction.
 */
const euler: Sampler = (levels) =>
  between(levels, (t, s) => {
    const a = s.sigma / t.sigma; // alpha_s · (σ_s / σ_t) / alpha_t
    return { a, b: s.alpha - t.alpha * a, c: 0, d: 0 };
  });

/**
 * An Euler step to σ_down, then noise up to σ_s: σ_up² = σ_s²(σ_t² - σ_s²)/σ_t², σ_down² = σ_s² - σ_up².
 * Crowson, k-diffusion, 2022, sampling.py: sample_euler_ancestral.
 */
const eulerAncestral: Sampler = (levels) =>
  between(levels, (t, s) => {
    const ratio = signalRatio(t, s); // σ_s / σ_t
    const up = Math.sqrt(1 - ratio * ratio); // σ_up / σ_s
    const down = ratio * Math.sqrt(1 - up * up); // σ_down / σ_t
    return { a: (s.sigma * Math.sqrt(1 - up * up)) / t.sigma, b: s.alpha * (1 - down), c: 0, d: s.sigma * up };
  });

/**
 * DPM-Solver++ 2M: x_s = (sigma_s/sigma_t)·x - alpha_s·(e^-h - 1)·(D0 + (D0 - D1)/2r), h = λ_s - λ_t, r = h_before / h,
 * λ = ln(alpha / sigma); first order on the first step and on the last.
 * Lu et al., "DPM-Solver++: fast solver for guided sampling of diffusion probabilistic models", 2022, algorithm 2.
 */
const dpmSolverPlusPlus2M: Sampler = (levels) =>
  between(levels, (t, s, before) => {
    const decay = signalRatio(t, s); // e^-h
    const b = s.alpha * (1 - decay);
    // 1/2r. From alpha = 0 the step before was infinitely long, to sigma = 0 this one is: both are first order.
    const longBefore = before === undefined || before.alpha === 0;
    const correction = longBefore || s.sigma === 0 ? 0 : Math.log(decay) / (2 * Math.log(signalRatio(before, t)));
    return { a: s.sigma / t.sigma, b: b * (1 + correction), c: 0 - b * correction, d: 0 };
  });

/**
 * Euler steps of dy/dτ = ε̂ - x̂0 in the flow's own variable y = x / (alpha + sigma), τ = sigma / (alpha + sigma).
 * Liu et al., "Flow straight and fast: learning to generate and transfer data with rectified flow", 2022, eq. 1 and algorithm 1.
 */
const flowEuler: Sampler = (levels) =>
  between(levels, (t, s) => {
    const tau = t.sigma / (t.alpha + t.sigma);
    const next = s.sigma / (s.alpha + s.sigma);
    // y + (τ_s - τ_t)·(ε̂ - x̂0), with ε̂ = (y - (1 - τ_t)·x̂0) / τ_t; then y_s back to x_s.
    const scale = s.alpha + s.sigma;
    return { a: (scale * next) / (tau * (t.alpha + t.sigma)), b: scale * (1 - next / tau), c: 0, d: 0 };
  });

/**
 * Multistep consistency sampling: x̂0, noised afresh to the next time. For models distilled to it.
 * Luo et al., "Latent consistency models", 2023, algorithm 3; the boundary scalings, which differ from 0 and 1 by less than
 * 1e-5 at the times in use, are left out.
 */
const lcm: Sampler = (levels) => between(levels, (_t, s) => ({ a: 0, b: s.alpha, c: 0, d: s.sigma }));

export const samplerUpdates: Readonly<Record<SamplerName, Sampler>> = {
  ddpm,
  ddim,
  euler,
  'euler-ancestral': eulerAncestral,
  'dpmpp-2m': dpmSolverPlusPlus2M,
  'flow-euler': flowEuler,
  lcm,
};

export interface SamplerOptions {
  readonly sampler: SamplerName;
  readonly process: Process;
  readonly prediction: Prediction;
  /** Network evaluations, 1 to 1000. */
  readonly steps: number;
}

/**
 * The whole table of one generation.
 * x_T is noise of the standard deviation that x has there for data of unit variance, √(alpha² + sigma²): 1 where the process
 * preserves variance and where a flow starts from pure noise.
 * @throws RangeError for steps outside 1 to 1000
 */
export function samplerTable({ sampler, process, prediction, steps }: SamplerOptions): SamplerTable {
  const levels = noiseLevels(process, steps, usualSpacing(sampler, process));
  return {
    initialScale: Math.hypot(levels[0]!.alpha, levels[0]!.sigma),
    steps: samplerUpdates[sampler](levels).map((update, i) => {
      const level = levels[i]!;
      return { ...update, ...denoising(prediction, level), timestep: level.timestep };
    }),
  };
}

/**
 * Each sampler's default schedule (`Spacing`):
 * - DDPM and DDIM: the model's on discrete processes, 'cosine' on flows;
 * - Euler and Euler ancestral: 'linspace' on discrete processes, as their reference implementation, 'karras' on flows;
 * - DPM-Solver++ 2M: 'karras' on discrete processes, as its reference implementation, 'trailing' on flows;
 * - flow Euler and LCM: the model's, which is 'trailing' for flows.
 */
export function usualSpacing(sampler: SamplerName, process: Process): Spacing {
  switch (sampler) {
    case 'ddpm':
    case 'ddim':
      return process.discrete ? process.spacing : 'cosine';
    case 'euler':
    case 'euler-ancestral':
      return process.discrete ? 'linspace' : 'karras';
    case 'dpmpp-2m':
      return process.discrete ? 'karras' : 'trailing';
    case 'flow-euler':
    case 'lcm':
      return process.spacing;
  }
}

type Step = (from: NoiseLevel, to: NoiseLevel, before: NoiseLevel | undefined) => Update;

function between(levels: readonly NoiseLevel[], step: Step): readonly Update[] {
  return levels.slice(1).map((to, i) => step(levels[i]!, to, levels[i - 1]));
}

/** (alpha_t / sigma_t) / (alpha_s / sigma_s) for s after t on the way to data: below 1, and 0 where alpha_t or sigma_s is. */
function signalRatio(t: NoiseLevel, s: NoiseLevel): number {
  return (t.alpha * s.sigma) / (s.alpha * t.sigma);
}
