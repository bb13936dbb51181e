// Linear layers, activations and the common epilogue in f64, one loop per index.

export function activate(name: 'none' | 'silu' | 'gelu', v: number): number {
  if (name === 'silu') return v / (1 + Math.exp(-v));
  if (name === 'gelu') return 0.5 * v * (1 + erf(v / Math.SQRT2));
  return v;
}

/** erf by its Maclaurin series; beyond |x| = 4 it is ±1 to 1.5e-8. */
export function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 120; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** x [M, Cin], weight [Cin, Cout] -> [M, Cout]. */
export function referenceLinear(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  cin: number,
  cout: number,
): Float64Array {
  const rows = x.length / cin;
  const out = new Float64Array(rows * cout);
  for (let m = 0; m < rows; m++)
    for (let k = 0; k < cin; k++)
      for (let n = 0; n < cout; n++) out[m * cout + n]! += x[m * cin + k]! * weight[k * cout + n]!;
  return out;
}

/** activation(y + bias) + residual, in place; y [M, Cout]. */
export function referenceEpilogue(
  y: Float64Array,
  cout: number,
  options: { bias?: ArrayLike<number>; activation?: 'none' | 'silu' | 'gelu'; residual?: ArrayLike<number> },
): Float64Array {
  const { bias, activation = 'none', residual } = options;
  for (let i = 0; i < y.length; i++) {
    y[i] = activate(activation, y[i]! + (bias?.[i % cout] ?? 0)) + (residual?.[i] ?? 0);
  }
  return y;
}
