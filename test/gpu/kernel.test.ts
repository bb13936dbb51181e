// Uniform packing, grids, shapes and f16 bit patterns: the arithmetic under the engine.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Kernel, linearGrid, maxGroups, packParams } from '../../src/gpu/kernel';
import { bindingBytes, byteLength, halfToNumber, reshape, sizeOf, view, virtualTensor } from '../../src/gpu/tensor';
import { toHalf } from '../gpu';

const kernel: Kernel = {
  label: 'k',
  code: '',
  access: [],
  params: [
    ['count', 'u32'],
    ['offset', 'i32'],
    ['scale', 'f32'],
  ],
};

describe('packParams', () => {
  test('each type has its bits, in the order of the list', () => {
    const words = packParams(kernel, { scale: 1.5, offset: -2, count: 2 ** 32 - 1 });
    expect([...words]).toEqual([2 ** 32 - 1, 2 ** 32 - 2, 0x3fc00000]);
  });

  test.for<[string, Record<string, number>, string]>([
    ['a missing value', { count: 1, offset: 1 }, 'no value for the parameter scale'],
    ['a value too many', { count: 1, offset: 1, scale: 1, size: 2 }, 'no parameter size'],
    ['a fraction as u32', { count: 1.5, offset: 1, scale: 1 }, 'count is 1.5'],
    ['a u32 beyond 32 bits', { count: 2 ** 32, offset: 1, scale: 1 }, 'count is 4294967296'],
    ['an i32 beyond 31 bits', { count: 1, offset: 2 ** 31, scale: 1 }, 'offset is 2147483648'],
    ['NaN', { count: 1, offset: 1, scale: Number.NaN }, 'scale is NaN'],
  ])('%s is refused', ([, values, message]) => {
    expect(() => packParams(kernel, values)).toThrow(message);
  });
});

test('linearGrid covers every thread within the limits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 }), fc.constantFrom(32, 64, 128, 256), (threads, size) => {
      const [x, y, z] = linearGrid(threads, size);
      expect(x * y * z * size).toBeGreaterThanOrEqual(threads);
      expect(Math.max(x, y)).toBeLessThanOrEqual(maxGroups);
      // Less than one row of workgroups too many.
      expect(x * (y - 1) * size).toBeLessThan(threads);
    }),
  );
});

describe('tensors', () => {
  test('bytes: f16 in whole u32, bindings in whole vec4s', () => {
    expect(byteLength({ shape: [3], dtype: 'f16' })).toBe(8);
    expect(byteLength({ shape: [2, 3], dtype: 'f32' })).toBe(24);
    expect(bindingBytes({ shape: [2, 3], dtype: 'f32' })).toBe(32);
    expect(sizeOf([])).toBe(1);
  });

  test('reshape and view keep inside the tensor', () => {
    const x = virtualTensor([4, 64]);
    expect(reshape(x, [256]).shape).toEqual([256]);
    expect(() => reshape(x, [255])).toThrow('Cannot reshape [4,64] to [255]');
    expect(view(x, [2, 64], 128).shape).toEqual([2, 64]);
    expect(() => view(x, [3, 64], 128)).toThrow(RangeError);
    expect(() => view(x, [64], 4)).toThrow('expected a multiple of 256');
    expect(() => virtualTensor([2, -1])).toThrow('expected positive integers');
  });
});

describe('f16', () => {
  test('every bit pattern survives the way to a number and back', () => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);
    const values = Float64Array.from(all, halfToNumber);
    const isNaNPattern = (bits: number) => ((bits >> 10) & 31) === 31 && (bits & 1023) !== 0;
    expect(all.filter((bits) => Number.isNaN(values[bits]) !== isNaNPattern(bits))).toEqual(new Uint16Array());
    const back = toHalf(values);
    expect(all.filter((bits) => !isNaNPattern(bits) && back[bits] !== bits)).toEqual(new Uint16Array());
  });

  test('rounding goes to the nearest, ties to even, overflow to infinity', () => {
    const round = (value: number) => halfToNumber(toHalf([value])[0]!);
    expect(round(1 + 2 ** -11)).toBe(1);
    expect(round(1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
    expect(round(65519)).toBe(65504);
    expect(round(65520)).toBe(Number.POSITIVE_INFINITY);
    expect(round(2 ** -25)).toBe(0);
    expect(round(2 ** -24 * 1.5)).toBe(2 ** -23);
    expect(round(-0.1)).toBeCloseTo(-0.1, 4);
  });
});
