// The prediction wrapper: turns what a network outputs into x̂0, whatever it was trained to predict. Not the network.
import type { NoiseLevel } from './schedule';

/**
 * What the network outputs, for x = alpha · x0 + sigma · ε:
 * 'epsilon' ε; 'v' alpha·ε - sigma·x0; 'x0' x0; 'flow' ε - x0; 'edm' the raw F of Karras et al. 2022.
 */
export type Prediction = 'epsilon' | 'v' | 'x0' | 'flow' | 'edm';

/** x̂0 = p · x + q · output, and the network is given inputScale · x. */
export interface Denoising {
  readonly p: number;
  readonly q: number;
  readonly inputScale: number;
}

/**
 * ε says nothing about x0 where there is no signal (alpha = 0, the first step of flows and of zero-terminal-SNR schedules):
 * x̂0 = (x - sigma·ε)/alpha. This floor under alpha keeps p and q finite there, and the result finite in f32. The other
 * predictions need no floor.
 */
export const ALPHA_FLOOR = 1e-4;

/** Standard deviation of the data that EDM's scalings assume (Karras et al. 2022, table 1). */
const EDM_SIGMA_DATA = 0.5;

/**
 * The coefficients of one noise level. v: Salimans and Ho, "Progressive distillation", 2022, appendix D, here without
 * alpha² + sigma² = 1; EDM: Karras et al. 2022, table 1, with x / alpha as its input.
 */
export function denoising(prediction: Prediction, level: NoiseLevel, sigmaData = EDM_SIGMA_DATA): Denoising {
  const { alpha, sigma } = level;
  switch (prediction) {
    case 'epsilon': {
      const safe = Math.max(alpha, ALPHA_FLOOR);
      return { p: 1 / safe, q: -sigma / safe, inputScale: 1 };
    }
    case 'v': {
      const power = alpha * alpha + sigma * sigma;
      return { p: alpha / power, q: -sigma / power, inputScale: 1 };
    }
    case 'x0':
      return { p: 0, q: 1, inputScale: 1 };
    case 'flow':
      return { p: 1 / (alpha + sigma), q: -sigma / (alpha + sigma), inputScale: 1 };
    case 'edm': {
      // c_skip / alpha, c_out and c_in / alpha, multiplied through by alpha so that alpha = 0 is fine.
      const root = Math.hypot(sigma, alpha * sigmaData);
      return { p: (alpha * sigmaData ** 2) / root ** 2, q: (sigma * sigmaData) / root, inputScale: 1 / root };
    }
  }
}
