// GroupNorm with SiLU: statistics of each frame, as in the residual blocks of every diffusion U-Net.
import { groupNorm as referenceGroupNorm } from '../../../test/reference/norm';
import { groupNorm } from '../../ops/norm';
import type { Arm, BenchCase, Context } from '../case';
import { permute, randomValues } from '../data';
import { floats, integers, onnxModel } from '../onnx';
import { prepareJax } from '../runtimes/jax';
import { type OrtRun, ortArm, ortCpuArm } from '../runtimes/ort';
import { prepareOurs } from '../runtimes/ours';
import { prepareTfjs } from '../runtimes/tfjs';

interface Norm {
  readonly frames: number;
  readonly size: readonly [number, number];
  readonly channels: number;
  readonly groups: number;
  readonly x: Float32Array; // [T, H, W, C]
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

const eps = 1e-5;

const shapes = [
  { source: 'embedded model', frames: 9, size: [16, 16], large: [32, 32], channels: 64, groups: 8 },
  { source: 'embedded model', frames: 4, size: [32, 32], large: [64, 64], channels: 64, groups: 8 },
  {
    source: 'Stable Video Diffusion, 14 frames, 72×128 scaled down',
    frames: 14,
    size: [12, 16],
    large: [36, 64],
    channels: 320,
    groups: 32,
  },
] as const;

export function normCases(context: Context): BenchCase[] {
  return shapes.map((shape) => {
    const { source, frames, channels, groups } = shape;
    const size = context.large ? shape.large : shape.size;
    const count = frames * size[0] * size[1] * channels;
    const norm: Norm = {
      frames,
      size,
      channels,
      groups,
      x: randomValues([count]).map((value) => 2 * value + 0.5),
      weight: randomValues([channels]),
      bias: randomValues([channels]),
    };
    return {
      group: 'group_norm_silu',
      name: `${channels} channels in ${groups} groups at ${frames}×${size.join('×')}`,
      source,
      cost: { flops: 12 * count, bytes: 8 * count },
      tolerance: 1e-4,
      reference: async () => referenceGroupNorm({ ...norm, spans: frames, eps, silu: true }),
      arms: armsOf(context, norm),
    };
  });
}

function armsOf(context: Context, norm: Norm): Arm[] {
  const { frames, size, channels, groups, x, weight, bias } = norm;
  const shape = [1, frames, ...size, channels];
  return [
    {
      runtime: 'flipbook',
      kind: 'ours',
      how: 'groupNorm',
      prepare: () =>
        prepareOurs(context.gpu, ({ plan, f32 }) =>
          groupNorm(plan, f32(shape, x), {
            groups,
            eps,
            weight: f32([channels], weight),
            bias: f32([channels], bias),
            silu: true,
          }),
        ),
    },
    ortArm(context, 'as written', 'InstanceNormalization, Mul, Add, Sigmoid, Mul', () => composed(norm)),
    ortArm(context, 'strongest rewrite', 'LayerNormalization of rows, Mul, Add, QuickGelu', () => rewritten(norm)),
    tfjsArm(context, norm),
    jaxArm(context, norm),
    ortCpuArm(context, 'InstanceNormalization, …', () => composed(norm)),
  ];
}

/** As PyTorch exports it: channels first, one instance per group. */
function composed({ frames, size, channels, groups, x, weight, bias }: Norm): OrtRun {
  const shape = [frames, channels, ...size];
  const ones = new Float32Array(groups).fill(1);
  return {
    model: onnxModel({
      inputs: [{ name: 'x', shape }],
      outputs: [{ name: 'y', shape }],
      constants: [
        integers('grouped', [frames, groups, -1]),
        integers('whole', shape),
        floats('ones', [groups], ones),
        floats('zeros', [groups], new Float32Array(groups)),
        floats('w', [channels, 1, 1], weight),
        floats('b', [channels, 1, 1], bias),
      ],
      nodes: [
        { op: 'Reshape', inputs: ['x', 'grouped'], output: 'groups' },
        {
          op: 'InstanceNormalization',
          inputs: ['groups', 'ones', 'zeros'],
          output: 'normal',
          attributes: { epsilon: { float: eps } },
        },
        { op: 'Reshape', inputs: ['normal', 'whole'], output: 'flat' },
        { op: 'Mul', inputs: ['flat', 'w'], output: 'scaled' },
        { op: 'Add', inputs: ['scaled', 'b'], output: 'shifted' },
        { op: 'Sigmoid', inputs: ['shifted'], output: 'gate' },
        { op: 'Mul', inputs: ['shifted', 'gate'], output: 'y' },
      ],
    }),
    inputs: [{ name: 'x', shape, data: permute(x, [frames, ...size, channels], [0, 3, 1, 2]) }],
    output: { name: 'y', shape },
    arrange: (y) => permute(y, shape, [0, 2, 3, 1]),
  };
}

/**
 * A group of a frame is one dense row of channels-first data, so its statistics are a LayerNormalization, for which
 * onnxruntime has a tuned kernel (it has none for GroupNorm on WebGPU); SiLU is its fused QuickGelu with a factor of one.
 */
function rewritten({ frames, size, channels, groups, x, weight, bias }: Norm): OrtRun {
  const shape = [frames, channels, ...size];
  const row = (channels / groups) * size[0] * size[1];
  return {
    model: onnxModel({
      inputs: [{ name: 'x', shape }],
      outputs: [{ name: 'y', shape }],
      constants: [
        integers('rows', [frames * groups, row]),
        integers('whole', shape),
        floats('ones', [row], new Float32Array(row).fill(1)),
        floats('w', [channels, 1, 1], weight),
        floats('b', [channels, 1, 1], bias),
      ],
      nodes: [
        { op: 'Reshape', inputs: ['x', 'rows'], output: 'groups' },
        {
          op: 'LayerNormalization',
          inputs: ['groups', 'ones'],
          output: 'normal',
          attributes: { epsilon: { float: eps }, axis: -1 },
        },
        { op: 'Reshape', inputs: ['normal', 'whole'], output: 'flat' },
        { op: 'Mul', inputs: ['flat', 'w'], output: 'scaled' },
        { op: 'Add', inputs: ['scaled', 'b'], output: 'shifted' },
        {
          op: 'QuickGelu',
          domain: 'com.microsoft',
          inputs: ['shifted'],
          output: 'y',
          attributes: { alpha: { float: 1 } },
        },
      ],
    }),
    inputs: [{ name: 'x', shape, data: permute(x, [frames, ...size, channels], [0, 3, 1, 2]) }],
    output: { name: 'y', shape },
    arrange: (y) => permute(y, shape, [0, 2, 3, 1]),
  };
}

function tfjsArm(context: Context, { frames, size, channels, groups, x, weight, bias }: Norm): Arm {
  const shape = [frames, size[0] * size[1], groups, channels / groups];
  const inputs = [
    { shape, data: x },
    { shape: [groups, channels / groups], data: weight },
    { shape: [groups, channels / groups], data: bias },
  ];
  return {
    runtime: 'tfjs',
    kind: 'as written',
    how: 'moments, sub, mul, …, sigmoid, mul',
    prepare: async () => {
      const runtime = await context.tfjs();
      const { tf } = runtime;
      return prepareTfjs(runtime, inputs, (x, w, b) => {
        const { mean, variance } = tf.moments(x!, [1, 3], true);
        const scale = tf.mul(tf.rsqrt(tf.add(variance, eps)), w!);
        const y = tf.add(tf.mul(tf.sub(x!, mean), scale), b!);
        return tf.mul(y, tf.sigmoid(y));
      });
    },
  };
}

function jaxArm(context: Context, { frames, size, channels, groups, x, weight, bias }: Norm): Arm {
  const inputs = [
    { shape: [frames, size[0] * size[1], groups, channels / groups], data: x },
    { shape: [groups, channels / groups], data: weight },
    { shape: [groups, channels / groups], data: bias },
  ];
  return {
    runtime: 'jax-js',
    kind: 'as written',
    how: 'mean, variance, silu in one jit',
    prepare: async () => {
      const runtime = await context.jax();
      const { numpy, nn } = runtime.api;
      return prepareJax(runtime, inputs, (x, w, b) => {
        const mean = numpy.mean(x!.ref, [1, 3], { keepdims: true });
        const centred = x!.sub(mean);
        const variance = numpy.mean(numpy.square(centred.ref), [1, 3], { keepdims: true });
        const y = centred.mul(numpy.reciprocal(numpy.sqrt(variance.add(eps))).mul(w!)).add(b!);
        return nn.silu(y);
      });
    },
  };
}
