// Convolutions of the bench: shapes of the embedded model and of larger video models, and every peer's way to compute them.
import { referenceConv3d } from '../../../test/reference/conv3d';
import { conv3d } from '../../ops/conv3d';
import type { Arm, BenchCase, Context } from '../case';
import { randomValues, randomWeights } from '../data';
import { ortArm, ortCpuArm } from '../runtimes/ort';
import { prepareOurs } from '../runtimes/ours';
import { asWritten, type Conv, rewriteOf } from './conv3d-onnx';
import { jaxAsWritten, jaxRewrite, jaxRewrites, tfjsAsWritten, tfjsRewrite } from './conv3d-peers';

interface Shape {
  readonly source: string;
  readonly kernel: readonly [number, number, number];
  readonly cin: number;
  readonly cout: number;
  /** Time, height, width; `large` of a large shape. */
  readonly size: readonly [number, number, number];
  readonly large: readonly [number, number, number];
}

const embedded = 'embedded model';
const shapes: readonly Shape[] = [
  { source: embedded, kernel: [1, 3, 3], cin: 64, cout: 64, size: [9, 16, 16], large: [36, 32, 32] },
  { source: embedded, kernel: [1, 3, 3], cin: 128, cout: 128, size: [2, 16, 16], large: [36, 16, 16] },
  { source: embedded, kernel: [3, 1, 1], cin: 128, cout: 128, size: [8, 16, 16], large: [72, 16, 16] },
  { source: embedded, kernel: [1, 1, 1], cin: 128, cout: 256, size: [9, 16, 16], large: [72, 16, 16] },
  {
    source: 'Stable Video Diffusion, 320 channels, 72×128 scaled down',
    kernel: [1, 3, 3],
    cin: 320,
    cout: 320,
    size: [2, 6, 8],
    large: [14, 18, 32],
  },
  {
    source: 'Stable Video Diffusion, 14 frames, 72×128 scaled down',
    kernel: [3, 1, 1],
    cin: 320,
    cout: 320,
    size: [14, 4, 6],
    large: [14, 18, 32],
  },
  {
    source: 'AnimateDiff, 640 channels, 32×32 scaled down',
    kernel: [1, 3, 3],
    cin: 640,
    cout: 640,
    size: [2, 3, 4],
    large: [16, 8, 8],
  },
  {
    source: 'causal video autoencoders, scaled down',
    kernel: [3, 3, 3],
    cin: 64,
    cout: 64,
    size: [5, 12, 12],
    large: [17, 24, 24],
  },
];

export function convCases(context: Context): BenchCase[] {
  return shapes.map((shape) => {
    const { source, kernel, cin, cout } = shape;
    const [time, height, width] = context.large ? shape.large : shape.size;
    const taps = kernel[0] * kernel[1] * kernel[2];
    const places = time * height * width;
    const conv: Conv = {
      reference: {
        input: [1, time, height, width, cin],
        cout,
        kernel,
        stride: [1, 1, 1],
        padding: kernel.map((extent) => extent >> 1) as [number, number, number],
        circular: [false, false, false],
      },
      x: randomValues([places, cin]),
      weight: randomWeights([taps, cin, cout], taps * cin),
      bias: randomValues([cout]),
    };
    return {
      group: 'conv3d',
      name: `(${kernel.join(', ')}) ${cin}→${cout} at ${time}×${height}×${width}`,
      source,
      cost: { flops: 2 * places * taps * cin * cout, bytes: 4 * places * (cin + cout) + 2 * taps * cin * cout },
      tolerance: 1e-4,
      reference: async () => {
        const y = referenceConv3d(conv.reference, conv.x, conv.weight.values);
        return y.map((value, i) => value + conv.bias[i % cout]!);
      },
      arms: armsOf(context, conv),
    };
  });
}

function armsOf(context: Context, conv: Conv): Arm[] {
  const { kernel, input, padding, cout } = conv.reference;
  const cin = input[4];
  const taps = kernel[0] * kernel[1] * kernel[2];
  const rewritten = rewriteOf(conv);
  return [
    {
      runtime: 'flipbook',
      kind: 'ours',
      how: 'conv3d',
      prepare: () =>
        prepareOurs(context.gpu, ({ plan, f32, f16 }) =>
          conv3d(plan, f32([...input], conv.x), {
            weight: f16([taps, cin, cout], conv.weight),
            bias: f32([cout], conv.bias),
            kernel,
            padding,
          }),
        ),
    },
    ortArm(context, 'as written', '5-D Conv', () => asWritten(conv)),
    ortArm(context, 'strongest rewrite', rewritten.how, () => rewritten.ort),
    {
      runtime: 'tfjs',
      kind: 'as written',
      how: 'conv3d',
      prepare: async () => tfjsAsWritten(await context.tfjs(), conv),
    },
    {
      runtime: 'tfjs',
      kind: 'strongest rewrite',
      how: rewritten.how,
      prepare: async () => tfjsRewrite(await context.tfjs(), conv),
    },
    {
      runtime: 'jax-js',
      kind: 'as written',
      how: 'convGeneralDilated, 3-D',
      prepare: async () => jaxAsWritten(await context.jax(), conv),
    },
    ...(jaxRewrites(conv)
      ? [
          {
            runtime: 'jax-js',
            kind: 'strongest rewrite',
            how: rewritten.how,
            prepare: async () => jaxRewrite(await context.jax(), conv),
          } as const,
        ]
      : []),
    ortCpuArm(context, '5-D Conv', () => asWritten(conv)),
  ];
}
