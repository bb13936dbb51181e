// Progress of jobs side by side, and the time left.
import { expect, test } from 'vitest';
import { allOf, Remaining, totals } from '../../src/engine/progress';

test('adds up jobs, also those that begin late', () => {
  const seen: (readonly [number, number])[] = [];
  const part = totals((done, total) => seen.push([done, total]));
  const [first, second] = [part(), part()];
  first(1, 4);
  second(0, 6);
  first(4, 4);
  second(6, 6);
  expect(seen).toEqual([
    [1, 4],
    [1, 10],
    [4, 10],
    [10, 10],
  ]);
});

test('time left follows the pace so far and ends at 0', () => {
  const remaining = new Remaining(100);
  expect(remaining.eta).toBe(0);
  expect(remaining.share).toBe(0);
  remaining.spend(20, 4);
  expect(remaining.share).toBeCloseTo(0.2);
  expect(remaining.eta).toBeCloseTo(16);
  remaining.spend(30, 1); // twice as much as before in a quarter of the time
  expect(remaining.eta).toBeCloseTo(5);
  remaining.spend(80, 1); // more than was foreseen
  expect(remaining.share).toBe(1);
  expect(remaining.eta).toBe(0);
});

test('waits for every job, then throws the first failure', async () => {
  let finished = false;
  const slow = new Promise<number>((resolve) =>
    setTimeout(() => {
      finished = true;
      resolve(1);
    }, 5),
  );
  await expect(allOf([Promise.reject(new Error('one')), slow, Promise.reject(new Error('two'))])).rejects.toThrow(
    'one',
  );
  expect(finished).toBe(true);
  expect(await allOf([slow, Promise.resolve(2)])).toEqual([1, 2]);
});
