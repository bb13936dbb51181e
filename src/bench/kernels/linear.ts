// Linear layers of the bench: the shapes that a step of the embedded model spends its time in.
import { referenceLinear } from '../../../test/reference/matmul';
import { linear } from '../../ops/linear';
import type { Arm, BenchCase, Context } from '../case';
import { type HalfWeights, randomValues, randomWeights } from '../data';
import { floats, onnxModel } from '../onnx';
import { prepareJax } from '../runtimes/jax';
import { type OrtRun, ortArm, ortCpuArm } from '../runtimes/ort';
import { prepareOurs } from '../runtimes/ours';
import { prepareTfjs } from '../runtimes/tfjs';

interface Layer {
  readonly rows: number;
  readonly cin: number;
  readonly cout: number;
  readonly x: Float32Array;
  readonly weight: HalfWeights;
  readonly bias: Float32Array;
}

/** Rows of a clip of 36 frames; a large shape has eight times as many. */
const shapes = [
  { rows: 576, cin: 256, cout: 768 },
  { rows: 576, cin: 768, cout: 256 },
] as const;

export function linearCases(context: Context): BenchCase[] {
  return shapes.map(({ rows: few, cin, cout }) => {
    const rows = context.large ? 8 * few : few;
    const layer: Layer = {
      rows,
      cin,
      cout,
      x: randomValues([rows, cin]),
      weight: randomWeights([cin, cout], cin),
      bias: randomValues([cout]),
    };
    return {
      group: 'linear',
      name: `${cin}→${cout} of ${rows} rows`,
      source: 'embedded model',
      cost: { flops: 2 * rows * cin * cout, bytes: 4 * rows * (cin + cout) + 2 * cin * cout },
      tolerance: 1e-4,
      reference: async () =>
        referenceLinear(layer.x, layer.weight.values, cin, cout).map((y, i) => y + layer.bias[i % cout]!),
      arms: armsOf(context, layer),
    };
  });
}

function armsOf(context: Context, { rows, cin, cout, x, weight, bias }: Layer): Arm[] {
  const ort: OrtRun = {
    model: onnxModel({
      inputs: [{ name: 'x', shape: [rows, cin] }],
      outputs: [{ name: 'y', shape: [rows, cout] }],
      constants: [floats('w', [cin, cout], weight.values), floats('b', [cout], bias)],
      nodes: [
        { op: 'MatMul', inputs: ['x', 'w'], output: 'product' },
        { op: 'Add', inputs: ['product', 'b'], output: 'y' },
      ],
    }),
    inputs: [{ name: 'x', shape: [rows, cin], data: x }],
    output: { name: 'y', shape: [rows, cout] },
  };
  const inputs = [
    { shape: [rows, cin], data: x },
    { shape: [cin, cout], data: weight.values },
    { shape: [cout], data: bias },
  ];
  return [
    {
      runtime: 'flipbook',
      kind: 'ours',
      how: 'linear',
      prepare: () =>
        prepareOurs(context.gpu, ({ plan, f32, f16 }) =>
          linear(plan, f32([rows, cin], x), { weight: f16([cin, cout], weight), bias: f32([cout], bias) }),
        ),
    },
    ortArm(context, 'as written', 'MatMul, Add', () => ort),
    {
      runtime: 'tfjs',
      kind: 'as written',
      how: 'fused matMul',
      prepare: async () => {
        const runtime = await context.tfjs();
        const { fused } = runtime.tf;
        return prepareTfjs(runtime, inputs, (a, b, bias) => fused.matMul({ a: a!, b: b!, bias: bias! }));
      },
    },
    {
      runtime: 'jax-js',
      kind: 'as written',
      how: 'matmul, add',
      prepare: async () => {
        const runtime = await context.jax();
        const { numpy } = runtime.api;
        return prepareJax(runtime, inputs, (x, w, b) => numpy.matmul(x!, w!).add(b!));
      },
    },
    ortCpuArm(context, 'MatMul, Add', () => ort),
  ];
}
