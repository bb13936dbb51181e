// The ONNX models that the peers get, run by onnxruntime itself on the CPU and compared with the f64 references.
import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import { describe, expect, test } from 'vitest';
import { permute } from '../../src/bench/data';
import type { Attention } from '../../src/bench/kernels/attention';
import { fusedOrt, writtenOrt } from '../../src/bench/kernels/attention-onnx';
import { asWritten, type Conv, rewriteOf } from '../../src/bench/kernels/conv3d-onnx';
import { floats, onnxModel } from '../../src/bench/onnx';
import type { OrtRun } from '../../src/bench/runtimes/ort';
import { relativeError } from '../../src/bench/statistics';
import { attention, rowsOf } from '../reference/attention';
import { referenceConv3d } from '../reference/conv3d';
import { gaussianNoise } from '../reference/philox';

async function run({ model, inputs, output, arrange = (y) => y }: OrtRun): Promise<Float32Array> {
  const session = await InferenceSession.create(model, { executionProviders: ['wasm'] });
  const feeds = inputs.map(({ name, shape, data }) => [name, new Tensor('float32', data, shape)] as const);
  const results = await session.run(Object.fromEntries(feeds));
  expect(results[output.name]!.dims).toEqual(output.shape);
  return arrange(results[output.name]!.data as Float32Array);
}

test('a model with a constant, attributes of each type and a negative number', async () => {
  const model = onnxModel({
    inputs: [{ name: 'x', shape: [2, 3] }],
    outputs: [{ name: 'y', shape: [3, 2] }],
    constants: [floats('w', [3], Float32Array.of(1, 10, 100))],
    nodes: [
      { op: 'Mul', inputs: ['x', 'w'], output: 'scaled' },
      { op: 'LeakyRelu', inputs: ['scaled'], output: 'leaky', attributes: { alpha: { float: 0.5 } } },
      { op: 'Softmax', inputs: ['leaky'], output: 'soft', attributes: { axis: -1 } },
      { op: 'Add', inputs: ['leaky', 'soft'], output: 'sum' },
      { op: 'Transpose', inputs: ['sum'], output: 'y', attributes: { perm: [1, 0] } },
    ],
  });
  const y = await run({
    model,
    inputs: [{ name: 'x', shape: [2, 3], data: Float32Array.of(1, 1, 1, -2, -2, -2) }],
    output: { name: 'y', shape: [3, 2] },
  });
  const soft = [-1, -10, -100].map((value) => Math.exp(value + 1));
  const sum = soft.reduce((a, b) => a + b);
  expect([...y].map((value) => Math.round(value * 1e4) / 1e4)).toEqual(
    [1, -1 + soft[0]! / sum, 10, -10 + soft[1]! / sum, 101, -100].map((value) => Math.round(value * 1e4) / 1e4),
  );
});

describe.each([[[1, 3, 3]], [[3, 1, 1]], [[1, 1, 1]], [[3, 3, 3]]] as const)('convolution %s', (kernel) => {
  const [time, height, width, cin, cout] = [3, 4, 5, 6, 7];
  const taps = kernel[0] * kernel[1] * kernel[2];
  const values = gaussianNoise(taps * cin * cout, 1, 1);
  const conv: Conv = {
    reference: {
      input: [1, time, height, width, cin],
      cout,
      kernel,
      stride: [1, 1, 1],
      padding: [kernel[0] >> 1, kernel[1] >> 1, kernel[2] >> 1],
      circular: [false, false, false],
    },
    x: gaussianNoise(time * height * width * cin, 1, 2),
    weight: { bits: new Uint16Array(), values },
    bias: gaussianNoise(cout, 1, 3),
  };
  const expected = referenceConv3d(conv.reference, conv.x, values).map((y, i) => y + conv.bias[i % cout]!);

  test('as written', async () => {
    expect(relativeError(await run(asWritten(conv)), expected)).toBeLessThan(1e-5);
  });

  test('rewritten', async () => {
    expect(relativeError(await run(rewriteOf(conv).ort), expected)).toBeLessThan(1e-5);
  });
});

describe.each(['space', 'time'] as const)('attention over %s', (axis) => {
  const [frames, places, channels, heads] = [3, 4, 8, 2];
  const count = frames * places * channels;
  const [q, k, v] = [1, 2, 3].map((stream) => gaussianNoise(count, 2, stream)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const bias = axis === 'time' ? gaussianNoise(heads * frames * frames, 2, 4) : undefined;
  const input: Attention = { axis, frames, places, channels, heads, q, k, v, bias };
  const batches = axis === 'space' ? frames : places;
  const rows = (data: Float32Array, batch: number) =>
    rowsOf(data, channels, 0, channels).filter((_, row) =>
      axis === 'space' ? Math.floor(row / places) === batch : row % places === batch,
    );
  // [batch, token, C] of every batch, brought back to [T, P, C].
  const all = Array.from({ length: batches }, (_, batch) =>
    attention({
      heads,
      q: rows(q, batch),
      k: rows(k, batch),
      v: rows(v, batch),
      ...(bias && { bias: (head: number, i: number, j: number) => bias[(head * frames + i) * frames + j]! }),
    }),
  );
  const flat = Float32Array.from(all.flatMap((batch) => batch.flatMap((row) => [...row])));
  const expected = axis === 'space' ? flat : permute(flat, [places, frames, channels], [1, 0, 2]);

  test('as written', async () => {
    expect(relativeError(await run(writtenOrt(input)), expected)).toBeLessThan(1e-5);
  });

  test('with the fused operator', async () => {
    expect(relativeError(await run(fusedOrt(input)), expected)).toBeLessThan(1e-5);
  });
});

test.each([
  ['denoiser_step', 'denoiser'],
  ['decoder', 'decoder'],
] as const)('%s.onnx points into the weights that are shipped', (graph, module) => {
  const { modules } = JSON.parse(readFileSync('public/models/sticker/model.json', 'utf8'));
  const bytes = readFileSync(`test/fixtures/onnx/${graph}.onnx`, 'latin1');
  expect(bytes).toContain('weightsSha256');
  expect(bytes).toContain(modules[module].sha256);
});
