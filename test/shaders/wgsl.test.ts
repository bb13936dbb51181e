// The tag's directives, float literals, and the uniform struct made from a list.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { f32, paramsStruct, wgsl } from '../../shaders/wgsl';

describe('wgsl', () => {
  test.for([
    [true, true, 'a = 1;'],
    [false, true, 'a = 2;'],
    [false, false, 'a = 3;'],
  ] as const)('branches %s %s', ([first, second, expected]) => {
    const text = wgsl`
      #if ${first}
      a = 1;
      #elif ${second}
      a = 2;
      #else
      a = 3;
      #endif
    `;
    expect(text.trim()).toBe(expected);
  });

  test('fragments nest, values are printed', () => {
    const half = true;
    const fragment = wgsl`
      #if ${half}
      x${4}
      #endif`;
    expect(wgsl`begin ${fragment} end`.replace(/\s+/g, ' ')).toBe('begin x4 end');
  });

  test('a list is lines, indented like the place where it stands', () => {
    expect(wgsl`{\n    ${['a;', 'b;']}\n  ${[]}${['c;']}\n}`).toBe('{\n    a;\n    b;\n  c;\n}');
  });

  test('a directive without its #endif throws', () => {
    expect(() => wgsl`#if ${true} a`).toThrow('Mismatched');
  });
});

describe('f32', () => {
  test.for([
    [1, '1f'],
    [0.5, '0.5f'],
    [-2, '(-2f)'],
    [1e-7, '1e-7f'],
    [1e21, '1e+21f'],
  ] as const)('%d', ([value, text]) => {
    expect(f32(value)).toBe(text);
  });

  test('the literal reads back as the same f32', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = f32(value).replace(/[()f]/g, '');
        expect(Math.fround(Number(text))).toBe(Math.fround(value) + 0);
      }),
    );
  });

  test.for([Number.NaN, Number.POSITIVE_INFINITY, 1e39])('%d is refused', (value) => {
    expect(() => f32(value)).toThrow(RangeError);
  });
});

test('paramsStruct', () => {
  expect(paramsStruct([])).toBe('');
  const params = [
    ['count', 'u32'],
    ['scale', 'f32'],
  ] as const;
  expect(paramsStruct(params)).toBe('struct Params {\n  count: u32,\n  scale: f32,\n}\n');
  expect(paramsStruct(params, 3)).toContain('@group(0) @binding(3) var<uniform> params: Params;');
});
