// An arm of our own: a Plan built by the engine's ops, compiled and submitted as the engine does.
import type { Gpu } from '../../gpu/device';
import { Plan } from '../../gpu/plan';
import type { Program } from '../../gpu/program';
import { byteLength, type Tensor } from '../../gpu/tensor';
import type { Prepared } from '../case';
import type { HalfWeights } from '../data';
import { Readback } from './device';

/** A plan with tensors of given numbers, which are freed with the arm. */
export interface PlanBuilder {
  readonly plan: Plan;
  f32(shape: readonly number[], data: Float32Array): Tensor;
  f16(shape: readonly number[], data: HalfWeights): Tensor;
}

export interface PreparedProgram extends Prepared {
  readonly program: Program;
  /** Of all tensors that were given as numbers. */
  readonly uploadBytes: number;
}

/** @param sliced split into submits like the engine's, for programs that run longer than a moment */
export async function prepareOurs(
  gpu: Gpu,
  build: (builder: PlanBuilder) => Tensor,
  { sliced = false }: { readonly sliced?: boolean } = {},
): Promise<PreparedProgram> {
  const plan = new Plan(gpu, 'bench');
  const uploads: Tensor[] = [];
  const keep = (tensor: Tensor): Tensor => {
    uploads.push(tensor);
    return tensor;
  };
  const dispose = (program?: Program): void => {
    program?.dispose();
    plan.dispose();
    for (const tensor of uploads) gpu.free(tensor);
  };
  try {
    const output = build({
      plan,
      f32: (shape, data) => keep(gpu.upload(data, shape, 'f32', 'bench')),
      f16: (shape, { bits }) => keep(gpu.upload(bits, shape, 'f16', 'bench weights')),
    });
    plan.keep(output);
    const program = await plan.compile();
    const readback = new Readback(gpu.device);
    return {
      program,
      uploadBytes: uploads.reduce((sum, tensor) => sum + byteLength(tensor), 0),
      run: sliced ? () => program.submit() : () => gpu.submit('bench', (encoder) => program.run(encoder)),
      wait: () => readback.wait(),
      output: () => program.read(output),
      dispose: () => dispose(program),
    };
  } catch (error) {
    dispose();
    throw error;
  }
}
