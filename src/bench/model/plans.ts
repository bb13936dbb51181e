// The embedded model's denoiser step and decoder as plans of the engine, for any length, as the ONNX graphs have them. The
// page's own programs are programs.ts's.
import type { LoadedModel } from '../../engine/model';
import type { Plan } from '../../gpu/plan';
import type { Tensor } from '../../gpu/tensor';
import { denormalise, head, stem } from '../../models/decoder';
import { conditionChannels, denoiser, promptFeatures } from '../../models/unet3d';
import { randomValues } from '../data';
import type { PlanBuilder } from '../runtimes/ours';
import type { GoldenStep } from './files';

interface StepTensors {
  readonly x: Tensor;
  readonly t: Tensor;
  readonly context: Tensor;
  readonly mask: Tensor;
  readonly pooled: Tensor;
  readonly motion: Tensor;
  readonly conditions: Tensor;
}

/** One step with the prompt's part in it, as the ONNX graph has it; the page runs that part once for all steps. */
function recordStep(plan: Plan, tensors: StepTensors, { denoiser: network }: Pick<LoadedModel, 'denoiser'>): Tensor {
  const { x, t, conditions, ...prompt } = tensors;
  const { weights, config } = network;
  const features = promptFeatures(plan, prompt, weights, config, x.shape[1]!);
  return denoiser(plan, { x, t, conditions, prompt: features }, weights, config);
}

export function goldenStepPlan(model: LoadedModel, golden: GoldenStep): (builder: PlanBuilder) => Tensor {
  const { size, channels } = model.manifest.latents;
  const { length, width } = model.text.config;
  const { frames } = golden;
  return ({ plan, f32 }) =>
    recordStep(
      plan,
      {
        x: f32([1, frames, ...size, channels], golden.x),
        t: f32([1], Float32Array.of(golden.t)),
        context: f32([1, length, width], golden.context),
        mask: f32([1, length], golden.mask),
        pooled: f32([1, width], golden.pooled),
        motion: f32([1, 2], Float32Array.from(golden.motion)),
        conditions: f32([1, frames, ...size, conditionChannels(model.denoiser.config)], golden.conditions),
      },
      model,
    );
}

/** A step of any length on random latents: for its time, not its result. */
export function randomStepPlan(model: LoadedModel, frames: number): (builder: PlanBuilder) => Tensor {
  const { size, channels } = model.manifest.latents;
  const { length, width } = model.text.config;
  const random = (...shape: number[]) => [shape, randomValues(shape)] as const;
  return ({ plan, f32 }) =>
    recordStep(
      plan,
      {
        x: f32(...random(1, frames, ...size, channels)),
        t: f32([1], Float32Array.of(0.5)),
        context: f32(...random(1, length, width)),
        mask: f32([1, length], new Float32Array(length).fill(1)),
        pooled: f32(...random(1, width)),
        motion: f32([1, 2], new Float32Array(2)),
        conditions: f32(...random(1, frames, ...size, conditionChannels(model.denoiser.config))),
      },
      model,
    );
}

/** Normalised latents [1, T/4, 16, 16, 40] -> premultiplied RGBA [1, T, 128, 128, 4], all frames at once. */
export function decodePlan(
  model: LoadedModel,
  frames: number,
  latents: Float32Array,
): (builder: PlanBuilder) => Tensor {
  const { size, channels } = model.manifest.latents;
  return ({ plan, f32 }) => recordDecode(plan, f32([1, frames, ...size, channels], latents), model);
}

export function recordDecode(
  plan: Plan,
  z: Tensor,
  { manifest, decoder }: Pick<LoadedModel, 'manifest' | 'decoder'>,
): Tensor {
  const { mean, std } = manifest.latents;
  const features = stem(plan, denormalise(plan, z, mean, std), decoder.weights.scope('stem'), decoder.config);
  return head(plan, features, decoder.weights.scope('head'), decoder.config);
}
