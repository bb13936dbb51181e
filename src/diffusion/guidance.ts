// Classifier-free guidance on the CPU: the reference of what the noise update kernel does, and per-frame scales.

/** uncond + w · (cond - uncond) (Ho and Salimans, "Classifier-free diffusion guidance", 2022, with w = 1 + their w). */
export function guide(unconditional: Float32Array, conditional: Float32Array, guidance: number): Float32Array {
  checkLengths(unconditional, conditional);
  return unconditional.map((value, i) => value + guidance * (conditional[i] - value));
}

/**
 * Pulls the spread of the guided output back to the conditional one's (Lin et al. 2023, eq. 15 and 16):
 * φ · guided · std(conditional) / std(guided) + (1 - φ) · guided. The arrays are one sample each.
 */
export function rescaleGuidance(guided: Float32Array, conditional: Float32Array, phi: number): Float32Array {
  checkLengths(guided, conditional);
  const spread = standardDeviation(guided);
  const factor = spread === 0 ? 1 : standardDeviation(conditional) / spread;
  return guided.map((value) => value * (phi * factor + 1 - phi));
}

/** Guidance per frame, from `first` to `last` in equal steps (Blattmann et al., "Stable video diffusion", 2023, appendix D). */
export function guidancePerFrame(first: number, last: number, numFrames: number): Float64Array {
  return Float64Array.from({ length: numFrames }, (_, i) => first + ((last - first) * i) / Math.max(numFrames - 1, 1));
}

function standardDeviation(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / values.length);
}

function checkLengths(a: Float32Array, b: Float32Array): void {
  if (a.length !== b.length)
    throw new RangeError(`both outputs must have the same length, but ${a.length} ≠ ${b.length}`);
}
