// What a step and a frame end with: the noise update, and a frame drawn on a canvas's texture.
import { noiseUpdate as referenceUpdate } from '../../../test/reference/noise_update';
import { present as referencePresent } from '../../../test/reference/present';
import { noiseUpdate } from '../../ops/noise-update';
import { Presenter } from '../../ops/present';
import type { BenchCase, Context, Prepared } from '../case';
import { randomValues } from '../data';
import { floats, onnxModel } from '../onnx';
import { Readback } from '../runtimes/device';
import { prepareJax } from '../runtimes/jax';
import { type OrtRun, ortArm, ortCpuArm } from '../runtimes/ort';
import { prepareOurs } from '../runtimes/ours';
import { prepareTfjs } from '../runtimes/tfjs';

const latents = [
  { source: 'embedded model', shape: [9, 16, 16, 40] },
  { source: 'Stable Video Diffusion, 14 frames of 72×128', shape: [14, 72, 128, 4] },
] as const;

/** Guidance, x0 = p·x + q·o, x' = a·x + b·x0. Without noise, of which each library draws its own. */
const step = { guidance: 2, p: 1, q: -0.7, a: 0.8, b: 0.2 };

export function samplingCases(context: Context): BenchCase[] {
  return [...latents.map((shape) => updateCase(context, shape)), presentCase(context)];
}

function updateCase(context: Context, { source, shape }: (typeof latents)[number]): BenchCase {
  const { guidance, p, q, a, b } = step;
  const count = shape.reduce((product, extent) => product * extent, 1);
  const x = randomValues([count]);
  const [unconditional, conditional] = [randomValues([count]), randomValues([count])];
  const output = new Float32Array(2 * count);
  output.set(unconditional);
  output.set(conditional, count);
  const inputs = [x, unconditional, conditional].map((data) => ({ shape, data }));
  const values = Float32Array.of(guidance, p, q, a, b, 0, 0, 0);
  const ort = updateOrt(inputs);
  return {
    group: 'other_kernels',
    name: `noise update of latents ${shape.join('×')}, guided`,
    source,
    cost: { flops: 9 * count, bytes: 20 * count },
    tolerance: 1e-5,
    reference: async () =>
      referenceUpdate({ x, output, noise: new Float32Array(count), step: [guidance, p, q, a, b, 0, 0] }).x,
    arms: [
      {
        runtime: 'flipbook',
        kind: 'ours',
        how: 'noiseUpdate',
        prepare: () =>
          prepareOurs(context.gpu, ({ plan, f32 }) => {
            const latents = f32([1, ...shape], x);
            noiseUpdate(plan, {
              x: latents, // the first run's result is checked; a + b = 1 keeps those of later ones finite
              output: f32([2, ...shape], output),
              step: f32([8], values),
              key: plan.input([4], 'u32', 'key'),
            });
            return latents;
          }),
      },
      ortArm(context, 'as written', 'Sub, Mul, Add, …', () => ort),
      {
        runtime: 'tfjs',
        kind: 'as written',
        how: 'sub, mul, add, …',
        prepare: async () => {
          const runtime = await context.tfjs();
          const { tf } = runtime;
          return prepareTfjs(runtime, inputs, (x, u, c) => {
            const mixed = tf.add(u!, tf.mul(tf.sub(c!, u!), guidance));
            const x0 = tf.add(tf.mul(x!, p), tf.mul(mixed, q));
            return tf.add(tf.mul(x!, a), tf.mul(x0, b));
          });
        },
      },
      {
        runtime: 'jax-js',
        kind: 'as written',
        how: 'one jit, which makes no x0',
        prepare: async () =>
          prepareJax(await context.jax(), inputs, (x, u, c) => {
            const mixed = u!.ref.add(c!.sub(u!).mul(guidance));
            const x0 = x!.ref.mul(p).add(mixed.mul(q));
            return x!.mul(a).add(x0.mul(b));
          }),
      },
      ortCpuArm(context, 'Sub, Mul, Add, …', () => ort),
    ],
  };
}

function updateOrt(inputs: readonly { readonly shape: readonly number[]; readonly data: Float32Array }[]): OrtRun {
  const named = inputs.map((input, i) => ({ name: ['x', 'u', 'c'][i]!, ...input }));
  const { shape } = inputs[0]!;
  return {
    model: onnxModel({
      inputs: named,
      outputs: [{ name: 'y', shape }],
      constants: Object.entries(step).map(([name, value]) => floats(name, [1], Float32Array.of(value))),
      nodes: [
        { op: 'Sub', inputs: ['c', 'u'], output: 'difference' },
        { op: 'Mul', inputs: ['difference', 'guidance'], output: 'guided' },
        { op: 'Add', inputs: ['u', 'guided'], output: 'mixed' },
        { op: 'Mul', inputs: ['x', 'p'], output: 'px' },
        { op: 'Mul', inputs: ['mixed', 'q'], output: 'qo' },
        { op: 'Add', inputs: ['px', 'qo'], output: 'x0' },
        { op: 'Mul', inputs: ['x', 'a'], output: 'ax' },
        { op: 'Mul', inputs: ['x0', 'b'], output: 'bx0' },
        { op: 'Add', inputs: ['ax', 'bx0'], output: 'y' },
      ],
    }),
    inputs: named,
    output: { name: 'y', shape },
  };
}

const [frameSide, canvasSide] = [128, 512];
const background = [0.2, 0.6, 1] as const;

/** No other library of the bench draws: ours alone, against the limit. */
function presentCase(context: Context): BenchCase {
  const frame = randomValues([frameSide ** 2 * 4]).map((value) => 0.5 + 0.4 * value);
  const options = { output: 'opaque' } as const;
  return {
    group: 'other_kernels',
    name: `present a frame of ${frameSide}×${frameSide} at ${canvasSide}×${canvasSide}`,
    source: 'embedded model',
    cost: { flops: 6 * canvasSide ** 2, bytes: 16 * frameSide ** 2 + 4 * canvasSide ** 2 },
    tolerance: 3e-3, // half of one of 255 steps
    reference: async () =>
      referencePresent({
        frame,
        size: [frameSide, frameSide],
        canvas: [canvasSide, canvasSide],
        ...options,
        background,
      }),
    arms: [
      {
        runtime: 'flipbook',
        kind: 'ours',
        how: 'Presenter, a render pass',
        prepare: () => preparePresent(context, frame, options),
      },
    ],
  };
}

async function preparePresent(
  { gpu }: Context,
  frame: Float32Array,
  options: Parameters<typeof Presenter.create>[2],
): Promise<Prepared> {
  const { device } = gpu;
  const frames = gpu.upload(frame, [1, 1, frameSide, frameSide, 4], 'f32', 'bench');
  const usage = GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC;
  const texture = device.createTexture({ size: [canvasSide, canvasSide], format: 'rgba8unorm', usage });
  const presenter = await Presenter.create(gpu, 'rgba8unorm', options);
  const readback = new Readback(device);
  return {
    run: () => presenter.draw(texture, { frames, index: 0, background }),
    wait: () => readback.wait(),
    output: async () => {
      const bytes = 4 * canvasSide ** 2;
      const pixels = gpu.createBuffer(bytes, GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC, 'pixels');
      gpu.submit('pixels', (encoder) => {
        const target = { buffer: pixels, bytesPerRow: 4 * canvasSide };
        encoder.copyTextureToBuffer({ texture }, target, [canvasSide, canvasSide]);
      });
      const read = new Uint8Array(await gpu.readBuffer(pixels, 0, bytes));
      gpu.freeBuffer(pixels);
      return Float32Array.from(read, (value) => value / 255);
    },
    dispose: () => {
      presenter.dispose();
      texture.destroy();
      gpu.free(frames);
    },
  };
}
