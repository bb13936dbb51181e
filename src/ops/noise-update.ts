// One sampler step: checks shapes, records the one kernel that does guidance, prediction, step and noise. Not the coefficients.
import { noiseUpdate as shader } from '../../shaders/noise_update.wgsl';
import { workgroupSize } from '../../shaders/wgsl';
import { linearGrid } from '../gpu/kernel';
import type { Plan } from '../gpu/plan';
import { sizeOf, type Tensor } from '../gpu/tensor';
import { expectTensor, formatTensor } from './check';

export interface NoiseUpdate {
  /** Latents at this step, f32 [B, ...]; x' takes their place. */
  readonly x: Tensor;
  /** The denoiser's raw output: [B, ...], or [2B, ...] with the unconditional half first (classifier-free guidance). */
  readonly output: Tensor;
  /** x0 of the step before, for multistep samplers: the shape of x. This step's takes its place. Without it c must be 0. */
  readonly previous?: Tensor;
  /** [2B, ...]: where the second half is above 0, x0 is the first half, whatever the denoiser says. */
  readonly known?: Tensor;
  /** f32 [8] = (guidance, p, q, a, b, c, d, unused), written by the CPU before each step. */
  readonly step: Tensor;
  /** u32 [4] = (seedLow, seedHigh, stream, firstElement). */
  readonly key: Tensor;
}

/**
 * o = u + guidance·(c − u) (Ho & Salimans 2022), x0 = p·x + q·o, x' = a·x + b·x0 + c·previous + d·noise.
 * What is known of x0 takes its straight way through every step and ends as it was given, to the last bit.
 * It writes over `x` and `previous`, so that one compiled step runs again and again.
 * @returns x0: `previous` itself, if it is given
 * @throws TypeError where a shape does not fit, or where x or previous is an activation, which would not outlive the run
 */
export function noiseUpdate(plan: Plan, args: NoiseUpdate): Tensor {
  const op = 'noiseUpdate';
  const { x, output, previous, known, step, key } = args;
  expectTensor(op, 'x', x, x.shape);
  const [batch = 0, ...rest] = x.shape;
  const guided = output.shape[0] === 2 * batch;
  const advice = `x is ${formatTensor(x)}: the output has its shape, or twice its batch for guidance`;
  expectTensor(op, 'output', output, [guided ? 2 * batch : batch, ...rest], 'f32', advice);
  if (previous) expectTensor(op, 'previous', previous, x.shape, 'f32', 'the x0 of the step before has the shape of x');
  if (known) expectTensor(op, 'known', known, [2 * batch, ...rest], 'f32', 'what is given, then where it counts');
  expectTensor(op, 'step', step, [8], 'f32', '(guidance, p, q, a, b, c, d, unused)');
  expectTensor(op, 'key', key, [4], 'u32', '(seedLow, seedHigh, stream, firstElement)');
  if ([x, previous].some((tensor) => tensor?.storage.kind === 'arena')) {
    throw new TypeError(`${op}: x and previous outlive the run; make them with plan.input()`);
  }
  const count = sizeOf(x.shape);
  const denoised = previous ?? plan.alloc(x.shape);
  plan.call(
    shader({ guided, previous: previous !== undefined, known: known !== undefined, aligned: count % 4 === 0 }),
    [step, key, output, x, ...(known ? [known] : []), denoised],
    linearGrid(Math.ceil(count / 4), workgroupSize),
    { count },
    { flops: 40 * count },
  );
  return denoised;
}
