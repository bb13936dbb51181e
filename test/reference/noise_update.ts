// One sampler step in f64.

export interface NoiseUpdateCase {
  readonly x: ArrayLike<number>;
  /** As long as x, or twice: unconditional, then conditional. */
  readonly output: ArrayLike<number>;
  readonly previous?: ArrayLike<number>;
  /** What x0 is where `keep` is above 0. */
  readonly known?: { readonly given: ArrayLike<number>; readonly keep: ArrayLike<number> };
  readonly noise: ArrayLike<number>;
  /** guidance, p, q, a, b, c, d. */
  readonly step: readonly number[];
}

export function noiseUpdate({ x, output, previous, known, noise, step }: NoiseUpdateCase): {
  readonly x: Float64Array;
  readonly denoised: Float64Array;
} {
  const [guidance, p, q, a, b, c, d] = step as [number, number, number, number, number, number, number];
  const denoised = new Float64Array(x.length);
  const next = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const guided = output.length === 2 * x.length;
    const first = output[i]!;
    const o = guided ? first + guidance * (output[x.length + i]! - first) : first;
    denoised[i] = known && known.keep[i]! > 0 ? known.given[i]! : p * x[i]! + q * o;
    next[i] = a * x[i]! + b * denoised[i]! + c * (previous?.[i] ?? 0) + d * noise[i]!;
  }
  return { x: next, denoised };
}
