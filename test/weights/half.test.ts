// f32, f16 and bf16 by their bits, against exhaustive and random values.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { halfToNumber } from '../../src/gpu/tensor';
import { numberToHalf, toFloat32, toHalfBits } from '../../src/weights/half';
import { bytesOf, f16, f32 } from './files';

describe('numberToHalf', () => {
  it('keeps every one of the 65,536 halves', () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = halfToNumber(bits);
      const back = numberToHalf(value);
      if (Number.isNaN(value) ? !Number.isNaN(halfToNumber(back)) : back !== bits && value !== 0) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
    expect([numberToHalf(0), numberToHalf(-0)]).toEqual([0, 0x8000]);
  });

  it('rounds any f32 to the nearest half, and halfway to the even one', () => {
    fc.assert(
      fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const bits = numberToHalf(value);
        const error = Math.abs(halfToNumber(bits) - value);
        for (const other of [bits - 1, bits + 1]) {
          const neighbour = other & 0xffff;
          if ((neighbour & 0x7fff) > 0x7bff) continue;
          const distance = Math.abs(halfToNumber(neighbour) - value);
          expect(error < distance || (error === distance && bits % 2 === 0) || distance === 0).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
    // 1 + 2^-11 lies halfway between 1 and the next half, 1 + 3·2^-11 between two others.
    expect(halfToNumber(numberToHalf(1 + 2 ** -11))).toBe(1);
    expect(halfToNumber(numberToHalf(1 + 3 * 2 ** -11))).toBe(1 + 2 ** -9);
    expect(halfToNumber(numberToHalf(2 ** -25))).toBe(0);
    expect(halfToNumber(numberToHalf(3 * 2 ** -25))).toBe(2 ** -23);
  });

  it('overflows to infinity from 65520 on', () => {
    expect(halfToNumber(numberToHalf(65519))).toBe(65504);
    expect(halfToNumber(numberToHalf(65520))).toBe(Number.POSITIVE_INFINITY);
    expect(halfToNumber(numberToHalf(-1e30))).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('whole tensors', () => {
  it('become f32 from f32, f16 and bf16', () => {
    const raw = (tensor: { dtype: string; shape: readonly number[]; data: Uint8Array }) =>
      tensor as Parameters<typeof toFloat32>[0];
    expect(Array.from(toFloat32(raw(f32([2], [0.1, -3]))))).toEqual([Math.fround(0.1), -3]);
    expect(Array.from(toFloat32(raw(f16([3], [1, -2, 2047]))))).toEqual([1, -2, 2047]);
    const bf16 = { dtype: 'BF16', shape: [3], data: bytesOf(Uint16Array.of(0x3f80, 0xc040, 0x7f80)) };
    expect(Array.from(toFloat32(raw(bf16)))).toEqual([1, -3, Number.POSITIVE_INFINITY]);
    expect(() => toFloat32({ dtype: 'I8', shape: [1], data: new Uint8Array(1) })).toThrow(
      'I8 is not a floating-point type',
    );
  });

  it('become f16 from f32, and say which number is too large', () => {
    const raw = (values: number[]) => f32([values.length], values) as Parameters<typeof toHalfBits>[0];
    expect(Array.from(toHalfBits(raw([1, -2, Number.POSITIVE_INFINITY])))).toEqual([0x3c00, 0xc000, 0x7c00]);
    expect(() => toHalfBits(raw([1, 70000]))).toThrow('70000 is too large for f16');
  });

  it('of f16 keep their bits, NaN payloads and subnormals too, at any offset', () => {
    const bits = Uint16Array.from({ length: 300 }, (_, i) => (i * 2654435761) >>> 16);
    const file = new Uint8Array(601);
    file.set(bytesOf(bits), 1);
    expect(toHalfBits({ dtype: 'F16', shape: [300], data: file.subarray(1) })).toEqual(bits);
  });
});
