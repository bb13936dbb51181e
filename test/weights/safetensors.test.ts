// The safetensors reader: every element type, every way a file can be wrong, and files that fast-check makes up.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import { parseSafetensors } from '../../src/weights/safetensors';
import { f16, f32, fileOf, type TestTensor, writeSafetensors } from './files';

const widths: Record<string, number> = { F32: 4, F16: 2, BF16: 2, I8: 1, U8: 1, I32: 4 };

const tensor: fc.Arbitrary<TestTensor> = fc
  .tuple(fc.constantFrom(...Object.keys(widths)), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }))
  .chain(([dtype, shape]) => {
    const length = shape.reduce((size, extent) => size * extent, widths[dtype]);
    return fc.uint8Array({ minLength: length, maxLength: length }).map((data) => ({ dtype, shape, data }));
  });
const name = fc
  .string({ minLength: 1, maxLength: 12 })
  .filter((text) => text !== '__metadata__' && text !== '__proto__');
const file = fc.dictionary(name, tensor, { maxKeys: 6 });

function refusal(buffer: ArrayBuffer): string {
  try {
    parseSafetensors(buffer, 'x.safetensors');
  } catch (error) {
    expect(error).toBeInstanceOf(FlipbookError);
    expect((error as FlipbookError).code).toBe('weights');
    return (error as FlipbookError).message;
  }
  throw new Error('the file was accepted');
}

describe('parseSafetensors reads', () => {
  it('whatever was written, byte for byte, for any names, types and shapes', () => {
    fc.assert(
      fc.property(file, fc.boolean(), (tensors, described) => {
        const parsed = parseSafetensors(writeSafetensors(tensors, described ? { format: 'pt' } : undefined), 'x');
        expect([...parsed.keys()].sort()).toEqual(Object.keys(tensors).sort());
        for (const [key, { dtype, shape, data }] of Object.entries(tensors)) {
          const found = parsed.get(key)!;
          expect(found.dtype).toBe(dtype);
          expect(found.shape).toEqual(shape);
          expect(Array.from(found.data)).toEqual(Array.from(data));
        }
      }),
    );
  });

  it('tensors in any order of their bytes, and a header padded with spaces', () => {
    const header =
      '{"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}   ';
    const parsed = parseSafetensors(fileOf(header, [Uint8Array.of(1, 2, 3)]), 'x');
    expect(Array.from(parsed.get('a')!.data)).toEqual([1, 2]);
    expect(Array.from(parsed.get('b')!.data)).toEqual([3]);
  });

  it('views, without copying', () => {
    const buffer = writeSafetensors({ a: f32([2], [1, 2]) });
    expect(parseSafetensors(buffer, 'x').get('a')!.data.buffer).toBe(buffer);
  });
});

describe('parseSafetensors refuses', () => {
  const info = (text: string) => fileOf(`{"a":${text}}`, [new Uint8Array(4)]);
  it.each<[string, ArrayBuffer, string]>([
    ['an empty file', new ArrayBuffer(0), "it has 0 bytes, and the header's length alone takes 8"],
    ['a web page', new TextEncoder().encode('<!doctype html><html>').buffer as ArrayBuffer, 'its header should have'],
    ['a header past the end', fileOf('{}', []).slice(0, 9), 'its header should have 2 bytes, but 1 follow'],
    ['a header that is no JSON', fileOf('{"a":', []), 'its header is not JSON'],
    ['a header of another encoding', fileOf('{}', []).slice(0, 8), 'its header should have 2 bytes, but 0 follow'],
    ['a header that is a list', fileOf('[]', []), 'its header is not a JSON object'],
    ['a tensor that is a number', info('7'), 'a is 7, expected dtype, shape and data_offsets'],
    [
      'another dtype',
      info('{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}'),
      'a has the dtype "F8_E4M3", expected F32',
    ],
    [
      'an inherited name as dtype',
      info('{"dtype":"toString","shape":[4],"data_offsets":[0,4]}'),
      'the dtype "toString"',
    ],
    ['a negative extent', info('{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}'), 'a has the shape [-4]'],
    ['no shape', info('{"dtype":"U8","data_offsets":[0,4]}'), 'a has the shape undefined'],
    ['offsets backwards', info('{"dtype":"U8","shape":[0],"data_offsets":[4,0]}'), 'a has the data_offsets [4,0]'],
    ['three offsets', info('{"dtype":"U8","shape":[0],"data_offsets":[0,4,4]}'), 'a has the data_offsets [0,4,4]'],
    [
      'too few bytes for the shape',
      info('{"dtype":"F16","shape":[3],"data_offsets":[0,4]}'),
      'a [3] as F16 takes 6 bytes, but it is given 4',
    ],
    [
      'a shape beyond all numbers',
      info('{"dtype":"U8","shape":[9007199254740991,9007199254740991],"data_offsets":[0,4]}'),
      'takes',
    ],
    ['data past the end', writeSafetensors({ a: f32([2], [1, 2]) }).slice(0, -1), 'it was probably cut off'],
    [
      'bytes of no tensor at the end',
      info('{"dtype":"U8","shape":[3],"data_offsets":[0,3]}'),
      '1 bytes at the end belong to no tensor',
    ],
    [
      'bytes of no tensor before',
      info('{"dtype":"U8","shape":[3],"data_offsets":[1,4]}'),
      'bytes 0 to 1 of the data, before a, belong to no tensor',
    ],
    [
      'tensors that overlap',
      fileOf(
        '{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}',
        [new Uint8Array(4)],
      ),
      'b overlaps a: it begins at byte 2 of the data, before byte 3',
    ],
  ])('%s', (_name, buffer, message) => {
    const refused = refusal(buffer);
    expect(refused).toContain('x.safetensors is not a valid safetensors file');
    expect(refused).toContain(message);
  });

  it('a header that is not UTF-8', () => {
    const buffer = fileOf('{"ab":1}', []);
    new Uint8Array(buffer)[10] = 0xff;
    expect(refusal(buffer)).toContain('its header is not JSON');
  });

  it('every file that was cut short, wherever', () => {
    const whole = writeSafetensors({ a: f16([3], [1, 2, 3]), b: f32([1], [4]) });
    for (let length = 0; length < whole.byteLength; length++) refusal(whole.slice(0, length));
  });

  it('or reads files of random bytes and of random headers, and never fails otherwise', () => {
    const calmly = (buffer: ArrayBuffer) => {
      try {
        parseSafetensors(buffer, 'x');
      } catch (error) {
        expect(error).toBeInstanceOf(FlipbookError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => calmly(bytes.slice().buffer as ArrayBuffer)));
    fc.assert(
      fc.property(fc.json(), fc.uint8Array({ maxLength: 16 }), (header, data) => calmly(fileOf(header, [data]))),
    );
    const offsets = fc.tuple(fc.integer(), fc.nat({ max: 20 }));
    const entry = fc.record({
      dtype: fc.constantFrom(...Object.keys(widths)),
      shape: fc.array(fc.integer()),
      data_offsets: offsets,
    });
    fc.assert(
      fc.property(fc.dictionary(name, entry), fc.uint8Array({ maxLength: 16 }), (header, data) =>
        calmly(fileOf(JSON.stringify(header), [data])),
      ),
    );
  });

  it('a file with one byte of the header changed, or reads tensors that lie inside it', () => {
    const whole = writeSafetensors({ a: f16([2, 2], [1, 2, 3, 4]), b: f32([1], [4]) });
    fc.assert(
      fc.property(fc.nat({ max: whole.byteLength - 13 }), fc.nat({ max: 255 }), (at, value) => {
        const copy = whole.slice(0);
        new Uint8Array(copy)[at] = value;
        try {
          for (const { data } of parseSafetensors(copy, 'x').values()) expect(data.buffer).toBe(copy);
        } catch (error) {
          expect(error).toBeInstanceOf(FlipbookError);
        }
      }),
    );
  });
});
