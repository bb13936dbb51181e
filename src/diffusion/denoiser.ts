// The prediction wrapper: turns what a network outputs into x̂0, whatever it was trained to predict. Not the network.
import type { NoiseLevel } from './schedule';

/**
 * What the network outputs, for x = alpha · x0 + sigma · ε:
 * 'epsilon' ε; 'v' alpha·ε - sigma·x0; 'x0' x0; 'flow' ε - x0.
 */
export type Prediction = 'epsilon' | 'v' | 'x0' | 'flow';

/** x̂0 = p · x + q · output. */
export interface Denoising {
  readonly p: number;
  readonly q: number;
}

/**
 * ε says nothing about x0 where there is no signal (alpha = 0, the first step of flows and of zero-terminal-SNR schedules):
 * x̂0 = (x - sigma·ε)/alpha. This floor under alpha keeps p and q finite there, and the result finite in f32. The other
 * predictions need no floor.
 */
export const ALPHA_FLOOR = 1e-4;

/**
 * The coefficients of one noise level. v: Salimans and Ho, "Progressive distillation", 2022, appendix D, here without
 * alpha² + sigma² = 1.
 */
export function denoising(prediction: Prediction, level: NoiseLevel): Denoising {
  const { alpha, sigma } = level;
  switch (prediction) {
    case 'epsilon': {
      const safe = Math.max(alpha, ALPHA_FLOOR);
      return { p: 1 / safe, q: -sigma / safe };
    }
    case 'v': {
      const power = alpha * alpha + sigma * sigma;
      return { p: alpha / power, q: -sigma / power };
    }
    case 'x0':
      return { p: 0, q: 1 };
    case 'flow':
      return { p: 1 / (alpha + sigma), q: -sigma / (alpha + sigma) };
  }
}
