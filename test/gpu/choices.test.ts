// Which variant of a kernel is picked, and the time that tuning may take. No GPU: a made-up clock and made-up measurements.
import { describe, expect, test } from 'vitest';
import { Choices, type Problem } from '../../src/gpu/choices';
import { recallChoices, rememberChoices } from '../../src/gpu/remembered';
import { virtualTensor } from '../../src/gpu/tensor';
import { type Measure, tune } from '../../src/ops/tune';
import { memory } from './text-store';

const variants = [{ rows: 1 }, { rows: 2 }, { rows: 3 }] as const;
const names = variants.map((variant) => JSON.stringify(variant));
const call = { flops: 10, record: () => virtualTensor([1]) };

const problem = (key: string, flops: number): Problem => ({ key, flops, variants: names, record: call.record });

/** Measurements that take as long as they say, on a clock of their own. */
function pretended(times: Readonly<Record<string, readonly number[]>>) {
  let clock = 0;
  const order: string[] = [];
  const measure: Measure = async ({ key }, variant) => {
    const time = times[key]![variant]!;
    order.push(`${key}${variant}`);
    clock += time;
    return time;
  };
  return { measure, now: () => clock, order };
}

describe('what is picked', () => {
  test('the first, unless another of them is remembered', () => {
    expect(new Choices().pick('a', variants, call)).toBe(variants[0]);
    const choices = new Choices({ a: names[2]!, b: '{"rows":9}' });
    expect(choices.pick('a', variants, call)).toBe(variants[2]);
    expect(choices.pick('b', variants, call)).toBe(variants[0]);
    expect(choices.pick('c', variants, call)).toBe(variants[0]);
  });

  test('problems are gathered once each, with the work of all their calls', () => {
    const choices = new Choices();
    choices.pick('before', variants, call);
    const problems = choices.problemsOf(() => {
      choices.pick('a', variants, call);
      choices.pick('b', variants, call);
      choices.pick('a', variants, call);
    });
    choices.pick('after', variants, call);
    expect(problems.map(({ key, flops }) => [key, flops])).toEqual([
      ['a', 20],
      ['b', 10],
    ]);
    expect(problems[0]!.variants).toEqual(names);
  });
});

describe('tuning', () => {
  test('the fastest variant is chosen, remembered and used from then on', async () => {
    const { measure, now } = pretended({ a: [5, 4, 2], b: [3, 5, 4] });
    const tuning = await tune([problem('a', 1), problem('b', 2)], { measure, now, budget: 100 });
    expect(tuning.variants).toEqual({ a: names[2], b: names[0] });
    expect(tuning).toMatchObject({ milliseconds: 23, problems: 2, measured: 2, changed: 1 });
    const store = memory();
    expect(await rememberChoices('gpu', tuning.variants, store)).toBe(true);
    const recalled = await recallChoices('gpu', store);
    expect(recalled.pick('a', variants, call)).toBe(variants[2]);
    expect(recalled.pick('b', variants, call)).toBe(variants[0]);
  });

  test('a gain that may be chance changes nothing', async () => {
    const { measure, now } = pretended({ a: [100, 97, 99] });
    const tuning = await tune([problem('a', 1)], { measure, now, budget: 1000 });
    expect(tuning.variants).toEqual({ a: names[0] });
  });

  test('the problem with the most work comes first, and nothing begins after the time is over', async () => {
    const { measure, now, order } = pretended({ small: [5, 5, 1], large: [20, 10, 30] });
    const tuning = await tune([problem('small', 1), problem('large', 9)], { measure, now, budget: 25 });
    expect(order).toEqual(['large0', 'large1']);
    expect(tuning.variants).toEqual({ large: names[1] });
    expect(tuning).toMatchObject({ problems: 2, measured: 1 });
  });

  test('a measurement that never ends is left when the time is over', async () => {
    let aborted = false;
    const measure: Measure = (_, variant, signal) => {
      if (variant === 0) return Promise.resolve(3);
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return new Promise(() => undefined);
    };
    const tuning = await tune([problem('a', 1)], { measure, budget: 60 });
    expect(tuning.milliseconds).toBeGreaterThanOrEqual(55);
    expect(tuning.milliseconds).toBeLessThan(2000);
    expect(tuning.variants).toEqual({ a: names[0] });
    expect(aborted).toBe(true);
  });

  test('a variant that fails is not chosen, and without the default nothing is', async () => {
    const failing =
      (bad: number): Measure =>
      async (_, variant) => {
        if (variant === bad) throw new Error('it does not fit');
        return 9 - variant;
      };
    const one = await tune([problem('a', 1)], { measure: failing(2), budget: 1000 });
    expect(one.variants).toEqual({ a: names[1] });
    const none = await tune([problem('a', 1)], { measure: failing(0), budget: 1000 });
    expect(none.variants).toEqual({});
  });

  test('a problem with one variant needs no time', async () => {
    const { measure, now, order } = pretended({});
    const tuning = await tune([{ ...problem('a', 1), variants: [names[0]!] }], { measure, now, budget: 10 });
    expect(order).toEqual([]);
    expect(tuning).toMatchObject({ problems: 0, measured: 0, milliseconds: 0 });
  });
});
