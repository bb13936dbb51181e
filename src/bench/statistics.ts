// Medians, quartiles and geometric means. It measures nothing.

export interface Timing {
  readonly median: number;
  /** First and third quartile: their distance is the IQR. */
  readonly q1: number;
  readonly q3: number;
  readonly samples: number;
}

/** The quantile of sorted values by linear interpolation (type 7 of Hyndman and Fan, 1996). */
export function quantile(sorted: readonly number[], fraction: number): number {
  if (sorted.length === 0) throw new RangeError('quantile: no values given');
  const at = fraction * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below]!;
  return low + (at - below) * ((sorted[below + 1] ?? low) - low);
}

export function timingOf(values: readonly number[]): Timing {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    q1: quantile(sorted, 0.25),
    q3: quantile(sorted, 0.75),
    samples: sorted.length,
  };
}

/**
 * Undefined for an empty list.
 * @throws RangeError where a value is not positive: its logarithm would be nonsense
 */
export function geometricMean(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  if (!values.every((value) => value > 0 && Number.isFinite(value))) {
    throw new RangeError(`geometricMean of [${values}]: expected positive numbers`);
  }
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** max |actual - expected| / max |expected|; infinite where a number is missing or not finite. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let scale = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i]!));
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= Number.MAX_VALUE)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, difference);
  }
  return worst / (scale || 1);
}
