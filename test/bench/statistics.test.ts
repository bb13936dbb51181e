// Medians, quartiles, means and errors of the bench.
import { expect, test } from 'vitest';
import { geometricMean, quantile, relativeError, timingOf } from '../../src/bench/statistics';

test('quantiles interpolate between neighbours', () => {
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
  expect(quantile([1, 2, 3, 4], 0.25)).toBe(1.75);
  expect(quantile([7], 0.75)).toBe(7);
  expect(() => quantile([], 0.5)).toThrow('no values');
});

test('a timing sorts by number, not by text', () => {
  expect(timingOf([10, 9, 100, 2, 1])).toEqual({ median: 9, q1: 2, q3: 10, samples: 5 });
});

test('the geometric mean of ratios and their inverses is one', () => {
  expect(geometricMean([2, 8])).toBeCloseTo(4, 12);
  expect(geometricMean([0.5, 2, 3, 1 / 3])).toBeCloseTo(1, 12);
  expect(geometricMean([])).toBeUndefined();
  expect(() => geometricMean([1, 0])).toThrow('positive');
});

test('errors are measured against the largest magnitude; what is missing or not a number is an infinite error', () => {
  expect(relativeError([1, 2, 3.9], [1, 2, 4])).toBeCloseTo(0.025, 12);
  expect(relativeError([0], [0])).toBe(0);
  expect(relativeError([1, 2], [1, 2, 3])).toBe(Number.POSITIVE_INFINITY);
  expect(relativeError([Number.NaN, 1], [1, 1])).toBe(Number.POSITIVE_INFINITY);
  expect(relativeError([Number.POSITIVE_INFINITY], [1])).toBe(Number.POSITIVE_INFINITY);
});
