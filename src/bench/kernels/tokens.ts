// Kernels over the tokens of a transformer block besides self-attention and products: layer norm, and attention to a prompt.
import { attention, rowsOf } from '../../../test/reference/attention';
import { layerNorm as referenceLayerNorm } from '../../../test/reference/norm';
import { crossAttention } from '../../ops/attention';
import { layerNorm } from '../../ops/norm';
import type { Arm, BenchCase, Context } from '../case';
import { randomValues } from '../data';
import { floats, integers, onnxModel } from '../onnx';
import { prepareJax } from '../runtimes/jax';
import { type OrtRun, ortArms } from '../runtimes/ort';
import { prepareOurs } from '../runtimes/ours';
import { prepareTfjs } from '../runtimes/tfjs';

const eps = 1e-5;

const norms = [
  { source: 'embedded model', rows: 576, large: 9216, channels: 256 },
  { source: 'AnimateDiff, 320 channels, 64×64 scaled down', rows: 1024, large: 16384, channels: 320 },
] as const;

const crosses = [
  { source: 'embedded model', queries: 576, large: 9216, channels: 256, heads: 4, tokens: 24 },
  { source: 'AnimateDiff, 64×64 scaled down', queries: 512, large: 8192, channels: 320, heads: 8, tokens: 77 },
] as const;

export function tokenCases(context: Context): BenchCase[] {
  return [...norms.map((shape) => normCase(context, shape)), ...crosses.map((shape) => crossCase(context, shape))];
}

function normCase(context: Context, { source, rows: few, large, channels }: (typeof norms)[number]): BenchCase {
  const rows = context.large ? large : few;
  const shape = [rows, channels];
  const x = randomValues(shape).map((value) => 2 * value + 0.5);
  const [weight, bias] = [randomValues([channels]), randomValues([channels])];
  const inputs = [
    { shape, data: x },
    { shape: [channels], data: weight },
    { shape: [channels], data: bias },
  ];
  const ort: OrtRun = {
    model: onnxModel({
      inputs: [{ name: 'x', shape }],
      outputs: [{ name: 'y', shape }],
      constants: [floats('w', [channels], weight), floats('b', [channels], bias)],
      nodes: [
        {
          op: 'LayerNormalization',
          inputs: ['x', 'w', 'b'],
          output: 'y',
          attributes: { epsilon: { float: eps }, axis: -1 },
        },
      ],
    }),
    inputs: [{ name: 'x', shape, data: x }],
    output: { name: 'y', shape },
  };
  const arms: Arm[] = [
    {
      runtime: 'flipbook',
      kind: 'ours',
      how: 'layerNorm',
      prepare: () =>
        prepareOurs(context.gpu, ({ plan, f32 }) =>
          layerNorm(plan, f32(shape, x), { eps, weight: f32([channels], weight), bias: f32([channels], bias) }),
        ),
    },
    ...ortArms(context, 'LayerNormalization', () => ort),
    {
      runtime: 'tfjs',
      kind: 'as written',
      how: 'moments, sub, mul, add',
      prepare: async () => {
        const runtime = await context.tfjs();
        const { tf } = runtime;
        return prepareTfjs(runtime, inputs, (x, w, b) => {
          const { mean, variance } = tf.moments(x!, 1, true);
          return tf.add(tf.mul(tf.sub(x!, mean), tf.mul(tf.rsqrt(tf.add(variance, eps)), w!)), b!);
        });
      },
    },
    {
      runtime: 'jax-js',
      kind: 'as written',
      how: 'mean, variance in one jit',
      prepare: async () => {
        const runtime = await context.jax();
        const { numpy } = runtime.api;
        return prepareJax(runtime, inputs, (x, w, b) => {
          const centred = x!.ref.sub(numpy.mean(x!, 1, { keepdims: true }));
          const variance = numpy.mean(numpy.square(centred.ref), 1, { keepdims: true });
          return centred.mul(numpy.reciprocal(numpy.sqrt(variance.add(eps))).mul(w!)).add(b!);
        });
      },
    },
  ];
  return {
    group: 'other_kernels',
    name: `layer norm of ${rows} rows of ${channels}`,
    source,
    cost: { flops: 9 * rows * channels, bytes: 8 * rows * channels },
    tolerance: 1e-4,
    reference: async () => referenceLayerNorm({ x, channels, eps, weight, bias }),
    arms,
  };
}

function crossCase(context: Context, shape: (typeof crosses)[number]): BenchCase {
  const { source, queries: few, large, channels, heads, tokens } = shape;
  const queries = context.large ? large : few;
  const headDim = channels / heads;
  const q = randomValues([queries, channels]);
  const [k, v] = [randomValues([tokens, channels]), randomValues([tokens, channels])];
  const keysValues = new Float32Array(2 * tokens * channels);
  for (let token = 0; token < tokens; token++) {
    keysValues.set(k.subarray(token * channels, (token + 1) * channels), 2 * token * channels);
    keysValues.set(v.subarray(token * channels, (token + 1) * channels), (2 * token + 1) * channels);
  }
  const inputs = [
    { shape: [1, queries, heads, headDim], data: q },
    { shape: [1, tokens, heads, headDim], data: k },
    { shape: [1, tokens, heads, headDim], data: v },
  ];
  const arms: Arm[] = [
    {
      runtime: 'flipbook',
      kind: 'ours',
      how: 'crossAttention',
      prepare: () =>
        prepareOurs(context.gpu, ({ plan, f32 }) =>
          crossAttention(plan, f32([1, queries, channels], q), f32([1, tokens, 2 * channels], keysValues), {
            heads,
            mask: f32([1, tokens], new Float32Array(tokens).fill(1)),
          }),
        ),
    },
    ...ortArms(context, 'MatMul, Softmax, MatMul', () => crossOrt(inputs, channels)),
    {
      runtime: 'tfjs',
      kind: 'as written',
      how: 'matMul, softmax, matMul',
      prepare: async () => {
        const runtime = await context.tfjs();
        const { tf } = runtime;
        return prepareTfjs(runtime, inputs, (...tensors) => {
          const [q, k, v] = tensors.map((tensor) => tf.transpose(tensor, [0, 2, 1, 3]));
          const weights = tf.softmax(tf.matMul(tf.mul(q!, 1 / Math.sqrt(headDim)), k!, false, true));
          return tf.reshape(tf.transpose(tf.matMul(weights, v!), [0, 2, 1, 3]), [queries, channels]);
        });
      },
    },
    {
      runtime: 'jax-js',
      kind: 'as written',
      how: 'dotProductAttention',
      prepare: async () => {
        const runtime = await context.jax();
        return prepareJax(runtime, inputs, (q, k, v) => runtime.api.nn.dotProductAttention(q!, k!, v!));
      },
    },
  ];
  return {
    group: 'other_kernels',
    name: `cross-attention, ${channels} channels, ${heads} heads, ${queries} places to ${tokens} tokens`,
    source,
    cost: { flops: 4 * queries * tokens * channels, bytes: 8 * (queries + tokens) * channels },
    tolerance: 1e-4,
    reference: async () => {
      const [rowsQ, rowsK, rowsV] = [q, k, v].map((data) => rowsOf(data, channels, 0, channels));
      return attention({ heads, q: rowsQ!, k: rowsK!, v: rowsV! }).flatMap((row) => [...row]);
    },
    arms,
  };
}

function crossOrt(
  inputs: readonly { readonly shape: readonly number[]; readonly data: Float32Array }[],
  channels: number,
): OrtRun {
  const named = inputs.map((input, i) => ({ name: 'qkv'[i]!, ...input }));
  const [, queries, , headDim] = inputs[0]!.shape as [number, number, number, number];
  const shape = [queries, channels];
  return {
    model: onnxModel({
      inputs: named,
      outputs: [{ name: 'y', shape }],
      constants: [floats('scale', [1], Float32Array.of(1 / Math.sqrt(headDim))), integers('joined', shape)],
      nodes: [
        { op: 'Transpose', inputs: ['q'], output: 'qh', attributes: { perm: [0, 2, 1, 3] } },
        { op: 'Transpose', inputs: ['k'], output: 'kh', attributes: { perm: [0, 2, 3, 1] } },
        { op: 'Transpose', inputs: ['v'], output: 'vh', attributes: { perm: [0, 2, 1, 3] } },
        { op: 'Mul', inputs: ['qh', 'scale'], output: 'qs' },
        { op: 'MatMul', inputs: ['qs', 'kh'], output: 'logits' },
        { op: 'Softmax', inputs: ['logits'], output: 'weights', attributes: { axis: 3 } },
        { op: 'MatMul', inputs: ['weights', 'vh'], output: 'mixed' },
        { op: 'Transpose', inputs: ['mixed'], output: 'rows', attributes: { perm: [0, 2, 1, 3] } },
        { op: 'Reshape', inputs: ['rows', 'joined'], output: 'y' },
      ],
    }),
    inputs: named,
    output: { name: 'y', shape },
  };
}
