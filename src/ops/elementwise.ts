// Concatenation, copies, addition, SiLU, per-channel affine maps and a denoiser's velocity: checks shapes, records the kernel. Not the WGSL.
import {
  affine as affineShader,
  concat as concatShader,
  elementwise,
  velocity as velocityShader,
} from '../../shaders/elementwise.wgsl';
import { workgroupSize } from '../../shaders/wgsl';
import { linearGrid } from '../gpu/kernel';
import type { Plan } from '../gpu/plan';
import { sizeOf, type Tensor } from '../gpu/tensor';
import { expectTensor, formatTensor } from './check';

/** Inputs of one concat: with the output they are the eight storage bindings that every WebGPU device has. */
const mostInputs = 7;

/** Joins tensors [..., Ci] over their last axis: [..., sum of Ci]. */
export function concat(plan: Plan, tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (!first || tensors.length > mostInputs) {
    throw new TypeError(`concat: ${tensors.length} tensors given, expected 1 to ${mostInputs}; join them in groups`);
  }
  const lead = first.shape.slice(0, -1);
  tensors.forEach((tensor, i) => {
    expectTensor('concat', `tensor ${i}`, tensor, [...lead, -1], 'f32', 'all axes but the last must agree');
  });
  if (tensors.length === 1) return first;
  const channels = tensors.map((tensor) => tensor.shape.at(-1)!);
  const aligned = channels.every((c) => c % 4 === 0);
  const unit = aligned ? 4 : 1;
  const total = channels.reduce((sum, c) => sum + c, 0);
  const out = plan.alloc([...lead, total]);
  let end = 0;
  const ends = channels.map((c, i) => {
    end += c / unit;
    return [`end${i}`, end] as const;
  });
  const count = sizeOf(out.shape) / unit;
  plan.call(
    concatShader({ inputs: tensors.length, aligned }),
    [...tensors, out],
    linearGrid(count, workgroupSize),
    { ...Object.fromEntries(ends), count },
    { flops: 0 },
  );
  return out;
}

/** Writes x over `out`, which has its shape: a value that is to outlive the run goes to a tensor with a buffer of its own. */
export function copy(plan: Plan, x: Tensor, out: Tensor): void {
  expectTensor('copy', 'x', x, x.shape);
  expectTensor('copy', 'out', out, x.shape, 'f32', `x is ${formatTensor(x)}`);
  const count = Math.ceil(sizeOf(x.shape) / 4); // The last vec4 may hang over into a binding's padding.
  const shader = concatShader({ inputs: 1, aligned: true });
  plan.call(shader, [x, out], linearGrid(count, workgroupSize), { end0: count, count });
}

/** a + b, equal shapes. */
export function add(plan: Plan, a: Tensor, b: Tensor): Tensor {
  expectTensor('add', 'b', b, a.shape, 'f32', `a is ${formatTensor(a)}; nothing is broadcast`);
  return map(plan, 'add', [a, b], 1);
}

/** x·sigmoid(x). */
export function silu(plan: Plan, x: Tensor): Tensor {
  return map(plan, 'silu', [x], 4);
}

/** x·scale + shift per channel: x f32 [..., C], scale and shift f32 [C]. */
export function affine(
  plan: Plan,
  x: Tensor,
  { scale, shift }: { readonly scale: Tensor; readonly shift: Tensor },
): Tensor {
  const channels = x.shape.at(-1) ?? 0;
  expectTensor('affine', 'x', x, x.shape);
  expectTensor('affine', 'scale', scale, [channels], 'f32', `x is ${formatTensor(x)}`);
  expectTensor('affine', 'shift', shift, [channels], 'f32', `x is ${formatTensor(x)}`);
  const aligned = channels % 4 === 0;
  const unit = aligned ? 4 : 1;
  const out = plan.alloc(x.shape);
  const size = sizeOf(x.shape);
  plan.call(
    affineShader({ aligned }),
    [x, scale, shift, out],
    linearGrid(size / unit, workgroupSize),
    { channels: channels / unit, count: size / unit },
    { flops: 2 * size },
  );
  return out;
}

/** What a denoiser predicts of latents at a time, and what goes past its network. */
export interface Predicted {
  /** Noisy latents [B, ..., C]. */
  readonly x: Tensor;
  /** [B, ..., C]: of the first `outline` channels a velocity, of the others x0. */
  readonly output: Tensor;
  /** [B, ..., 2C + 4], see `conditionChannels` of src/models/unet3d.ts. */
  readonly conditions: Tensor;
  /** [B, 2C]: how much of x, and of a clip's picture, is added to `output`. */
  readonly gates: Tensor;
  /** [B], in 0..1 */
  readonly t: Tensor;
  readonly outline: number;
  /** Of t in the division: near 0 it would make much of little. */
  readonly least: number;
}

/** The velocity of flow matching of all channels: (x - x0) / t where x0 was predicted. Returns [B, ..., C]. */
export function velocity(plan: Plan, { x, output, conditions, gates, t, outline, least }: Predicted): Tensor {
  const op = 'velocity';
  const [batch = 0] = x.shape;
  const channels = x.shape.at(-1) ?? 0;
  const why = `x is ${formatTensor(x)}`;
  expectTensor(op, 'x', x, x.shape);
  expectTensor(op, 'output', output, x.shape, 'f32', why);
  expectTensor(op, 'conditions', conditions, [...x.shape.slice(0, -1), 2 * channels + 4], 'f32', why);
  expectTensor(op, 'gates', gates, [batch, 2 * channels], 'f32', why);
  expectTensor(op, 't', t, [batch], 'f32', why);
  if (!(outline >= 0 && outline <= channels && least > 0)) {
    throw new TypeError(
      `${op}: outline ${outline} of ${channels} channels and least ${least}, expected 0 to all and above 0`,
    );
  }
  const out = plan.alloc(x.shape);
  const count = sizeOf(x.shape);
  plan.call(
    velocityShader(),
    [x, output, conditions, gates, t, out],
    linearGrid(count, workgroupSize),
    { outline, channels, clip: count / batch, count, least },
    { flops: 6 * count },
  );
  return out;
}

function map(plan: Plan, kind: 'add' | 'silu', args: readonly Tensor[], flopsPerElement: number): Tensor {
  const { shape } = args[0]!;
  for (const arg of args) expectTensor(kind, 'x', arg, shape);
  const out = plan.alloc(shape);
  const size = sizeOf(shape);
  const count = Math.ceil(size / 4);
  const cost = { flops: flopsPerElement * size };
  plan.call(elementwise(kind), [...args, out], linearGrid(count, workgroupSize), { count }, cost);
  return out;
}
