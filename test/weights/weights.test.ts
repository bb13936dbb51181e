// Scoped weights without a GPU: repacking, once per tensor, errors, dry runs. A recorder stands in for the Gpu.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Elements, Gpu } from '../../src/gpu/device';
import { FlipbookError } from '../../src/gpu/errors';
import type { Tensor } from '../../src/gpu/tensor';
import { halfToNumber } from '../../src/gpu/tensor';
import { numberToHalf } from '../../src/weights/half';
import { Weights } from '../../src/weights/weights';
import { bytesOf, f16, f32, type TestTensor, writeSafetensors } from './files';

/** Records uploads; `values` reads them back as numbers. */
function recorder() {
  const uploads = new Map<Tensor, { data: Elements; label: string }>();
  const freed: Tensor[] = [];
  const gpu = {
    upload(data: Elements, shape: readonly number[], dtype: Tensor['dtype'], label: string): Tensor {
      const tensor: Tensor = { shape, dtype, storage: { kind: 'none' } };
      uploads.set(tensor, { data, label });
      return tensor;
    },
    free: (tensor: Tensor) => void freed.push(tensor),
  } as unknown as Gpu;
  const values = (tensor: Tensor) => {
    const { data } = uploads.get(tensor)!;
    return Array.from(data, (value) => (tensor.dtype === 'f16' ? halfToNumber(value) : value));
  };
  return { gpu, uploads, freed, values };
}

function open(tensors: Record<string, TestTensor>) {
  const record = recorder();
  return { ...record, weights: Weights.open(record.gpu, writeSafetensors(tensors), 'denoiser.safetensors') };
}

const count = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('repacking', () => {
  it('vectors become f32 whatever they are stored as', () => {
    const bf16 = { dtype: 'BF16', shape: [2], data: bytesOf(Uint16Array.of(0x3f80, 0xc040)) };
    const { weights, values } = open({ a: f32([2], [0.1, 2]), b: f16([3], [1, -2, 3]), c: bf16 });
    expect(weights.vector('a')).toMatchObject({ shape: [2], dtype: 'f32' });
    expect(values(weights.vector('a'))).toEqual([Math.fround(0.1), 2]);
    expect(values(weights.vector('b'))).toEqual([1, -2, 3]);
    expect(values(weights.vector('c'))).toEqual([1, -3]);
  });

  it('linear [Cout, Cin] becomes [Cin, Cout]', () => {
    const { weights, values } = open({ w: f16([2, 3], [1, 2, 3, 4, 5, 6]) });
    const tensor = weights.linear('w');
    expect(tensor).toMatchObject({ shape: [3, 2], dtype: 'f16' });
    expect(values(tensor)).toEqual([1, 4, 2, 5, 3, 6]);
  });

  it('f32 and bf16 matrices are rounded to f16, or refused where they do not fit', () => {
    const { weights, values } = open({ w: f32([1, 2], [1 + 2 ** -11, -3]), huge: f32([1, 1], [1e6]) });
    expect(values(weights.linear('w'))).toEqual([1, -3]);
    expect(() => weights.linear('huge')).toThrow('huge in denoiser.safetensors: 1000000 is too large for f16');
  });

  it('int8 is multiplied by the scale of its output and rounded to f16', () => {
    const q = { dtype: 'I8', shape: [2, 3], data: bytesOf(Int8Array.of(1, -2, 127, -128, 0, 3)) };
    const { weights, values } = open({
      w: q,
      w_scale: f32([2, 1], [0.5, 0.1]),
      k: { ...q, shape: [2, 1, 3] },
      k_scale: f32([2, 1, 1], [2, 1]),
    });
    const rounded = (value: number) => halfToNumber(numberToHalf(Math.fround(value * Math.fround(0.1))));
    expect(values(weights.linear('w'))).toEqual([0.5, rounded(-128), -1, 0, 63.5, rounded(3)]);
    expect(values(weights.conv('k'))).toEqual([2, -128, -4, 0, 254, 3]);
  });

  it('int8 without scales, or with too few or too large ones, is refused', () => {
    const q = { dtype: 'I8', shape: [2, 1], data: bytesOf(Int8Array.of(100, 100)) };
    const { weights } = open({ none: q, few: q, few_scale: f32([1], [1]), huge: q, huge_scale: f32([2, 1], [1, 1e5]) });
    expect(() => weights.linear('none')).toThrow('denoiser.safetensors has no tensor none_scale');
    expect(() => weights.linear('few')).toThrow('few in denoiser.safetensors: 2 outputs have 1 scales');
    expect(() => weights.linear('huge')).toThrow('huge in denoiser.safetensors: 10000000 is too large for f16');
  });

  it('convolutions of any kernel put element (o, i, tap) at (tap, i, o)', () => {
    const extent = fc.integer({ min: 1, max: 4 });
    const shapes = fc.tuple(extent, extent, fc.array(extent, { minLength: 1, maxLength: 3 }));
    fc.assert(
      fc.property(shapes, ([cout, cin, kernel]) => {
        const taps = kernel.reduce((a, b) => a * b, 1);
        const { weights, values } = open({ w: f16([cout, cin, ...kernel], count(cout * cin * taps)) });
        const tensor = weights.conv('w');
        expect(tensor.shape).toEqual([taps, cin, cout]);
        const found = values(tensor);
        for (let o = 0; o < cout; o++) {
          for (let i = 0; i < cin; i++) {
            for (let tap = 0; tap < taps; tap++) {
              expect(found[(tap * cin + i) * cout + o]).toBe((o * cin + i) * taps + tap);
            }
          }
        }
      }),
    );
  });
});

describe('names', () => {
  it('are joined by scopes, and each tensor is uploaded once over all of them', () => {
    const { weights, uploads } = open({
      'blocks.0.conv.weight': f16([1, 1, 3], [1, 2, 3]),
      'blocks.0.conv.bias': f32([1], [4]),
    });
    const conv = weights.scope('blocks.0').scope('conv');
    const tensor = conv.conv('weight');
    expect(weights.scope('blocks').scope('0').conv('conv.weight')).toBe(tensor);
    expect([...uploads.values()].map(({ label }) => label)).toEqual(['denoiser.safetensors blocks.0.conv.weight']);
  });

  it('that are missing are named with their file', () => {
    const { weights } = open({ a: f32([1], [1]) });
    for (const ask of [() => weights.scope('mid').vector('bias'), () => weights.scope('mid').raw('bias')]) {
      expect(ask).toThrow('denoiser.safetensors has no tensor mid.bias among its 1');
      expect(ask).toThrow(FlipbookError);
    }
  });

  it('of tensors with another shape or type are refused with both', () => {
    const { weights } = open({
      a: f32([2, 2], [1, 2, 3, 4]),
      i: { dtype: 'I8', shape: [2], data: Uint8Array.of(1, 2) },
      e: f32([0], []),
    });
    expect(() => weights.vector('a')).toThrow('a in denoiser.safetensors is F32 [2,2], expected a vector');
    expect(() => weights.conv('a')).toThrow('expected a conv: floating-point or int8 with 3 or 4 or 5 dimensions');
    expect(() => weights.vector('i')).toThrow('i in denoiser.safetensors is I8 [2], expected a vector');
    expect(() => weights.vector('e')).toThrow('e in denoiser.safetensors is F32 [0], expected a vector');
  });

  it('cannot be two things at once', () => {
    const { weights } = open({ a: f16([1, 1], [1]), b: f32([1], [1]) });
    weights.linear('a');
    expect(() => weights.conv('a')).toThrow('a of denoiser.safetensors is already in use as a linear, not a conv');
    weights.vector('b');
    expect(() => weights.raw('b')).toThrow('b of denoiser.safetensors is on the GPU and was let go on the CPU');
  });
});

describe('memory', () => {
  it('raw tensors keep their own bytes and not the file', () => {
    const table = { dtype: 'I8', shape: [2, 2], data: bytesOf(Int8Array.of(1, -1, 127, -128)) };
    const { weights, uploads } = open({ table, a: f32([1], [1]) });
    const raw = weights.raw('table');
    expect(raw).toMatchObject({ dtype: 'I8', shape: [2, 2] });
    expect(Array.from(new Int8Array(raw.data.buffer))).toEqual([1, -1, 127, -128]);
    expect(weights.raw('table')).toBe(raw);
    expect(uploads.size).toBe(0);
  });

  it('dispose frees every upload once, from any scope', () => {
    const { weights, freed } = open({ 'x.a': f32([1], [1]), 'x.b': f32([1], [2]), c: f32([1], [3]) });
    const uploaded = [weights.vector('x.a'), weights.vector('c')];
    weights.scope('x').dispose();
    weights.dispose();
    expect(freed).toEqual(uploaded);
    expect(() => weights.vector('x.b')).toThrow('has no tensor x.b among its 0');
  });

  it('a dry run has shapes and no data', () => {
    const weights = Weights.open(
      null,
      writeSafetensors({ w: f16([4, 2, 3, 3], count(72)), b: f32([4], count(4)) }),
      'x',
    );
    expect(weights.conv('w')).toEqual({ shape: [9, 2, 4], dtype: 'f16', storage: { kind: 'none' } });
    expect(weights.vector('b')).toEqual({ shape: [4], dtype: 'f32', storage: { kind: 'none' } });
    weights.dispose();
  });
});
