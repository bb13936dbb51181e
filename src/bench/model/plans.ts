// The embedded model's denoiser step and decoder as plans of the engine, for any length. They are the page's own networks.

import { chunkFrames } from '../../engine/decoding';
import type { LoadedModel } from '../../engine/model';
import type { Problem } from '../../gpu/choices';
import { Plan, type PlanStats } from '../../gpu/plan';
import { type Tensor, virtualTensor } from '../../gpu/tensor';
import { denormalise, head, stem } from '../../models/decoder';
import { conditionChannels, denoiser, promptFeatures } from '../../models/unet3d';
import { Weights } from '../../weights/weights';
import { randomValues } from '../data';
import type { ClipWork } from '../predict';
import type { Recorder } from '../runtimes/ours';
import { bytesOf, type GoldenStep } from './files';

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
function recordStep(plan: Plan, tensors: StepTensors, { network }: Pick<LoadedModel, 'network'>): Tensor {
  const { x, t, conditions, ...prompt } = tensors;
  const { weights, config } = network;
  const features = promptFeatures(plan, prompt, weights, config, x.shape[1]!);
  return denoiser(plan, { x, t, conditions, prompt: features }, weights, config);
}

export function goldenStepPlan(model: LoadedModel, golden: GoldenStep): (recorder: Recorder) => Tensor {
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
        conditions: f32([1, frames, ...size, conditionChannels(model.network.config)], golden.conditions),
      },
      model,
    );
}

/** A step of any length on random latents: for its time, not its result. */
export function randomStepPlan(model: LoadedModel, frames: number): (recorder: Recorder) => Tensor {
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
        conditions: f32(...random(1, frames, ...size, conditionChannels(model.network.config))),
      },
      model,
    );
}

/** Normalised latents [1, T/4, 16, 16, 12] -> premultiplied RGBA [1, T, 128, 128, 4], all frames at once. */
export function decodePlan(model: LoadedModel, frames: number, latents: Float32Array): (recorder: Recorder) => Tensor {
  const { size, channels } = model.manifest.latents;
  return ({ plan, f32 }) => recordDecode(plan, f32([1, frames, ...size, channels], latents), model);
}

function recordDecode(plan: Plan, z: Tensor, { manifest, coder }: Pick<LoadedModel, 'manifest' | 'coder'>): Tensor {
  const { mean, std } = manifest.latents;
  const features = stem(plan, denormalise(plan, z, mean, std), coder.weights.scope('stem'), coder.config);
  return head(plan, features, coder.weights.scope('head'), coder.config);
}

/** Frames of the clip that kernels are tuned for and that work is counted for: the page's default. */
const clipFrames = 36;

/** The kernels that the page runs for a guided picture, and for a clip and its frames. */
export function problemsOf({ gpu, manifest, network, coder, text }: LoadedModel): Problem[] {
  const { size, channels, timeFactor, mean, std } = manifest.latents;
  const { length, width } = text.config;
  const frames = clipFrames / timeFactor;
  return gpu.choices.problemsOf(() => {
    const plan = new Plan(gpu, 'problems');
    for (const [batch, count] of [
      [2, 1],
      [1, frames],
    ] as const) {
      const input = (...shape: number[]) => plan.input([batch, ...shape]);
      const tensors = {
        x: input(count, ...size, channels),
        t: input(),
        context: input(length, width),
        mask: input(length),
        pooled: input(width),
        motion: input(2),
        conditions: input(count, ...size, conditionChannels(network.config)),
      };
      recordStep(plan, tensors, { network });
    }
    const z = denormalise(plan, plan.input([1, frames, ...size, channels]), mean, std);
    const features = stem(plan, z, coder.weights.scope('stem'), coder.config);
    const chunk = plan.input([1, chunkFrames, ...features.shape.slice(2)]);
    head(plan, chunk, coder.weights.scope('head'), coder.config);
    plan.dispose();
  });
}

/** Counted, not run: the plans that a GPU would get, for a guided picture and a clip of 36 frames in 8 steps. */
export async function clipWork(model: LoadedModel, modelUrl: string): Promise<ClipWork> {
  const { manifest, network, coder, text } = model;
  const dry = async <Config>(file: string, config: Config) => ({
    weights: Weights.open(null, await bytesOf(new URL(file, modelUrl).href), file),
    config,
  });
  const parts = {
    manifest,
    network: await dry(manifest.modules.denoiser.file, network.config),
    coder: await dry(manifest.modules.decoder.file, coder.config),
  };
  const { size, channels } = manifest.latents;
  const count = (record: (plan: Plan) => Tensor): PlanStats => {
    const plan = new Plan(null, 'count');
    record(plan);
    return plan.stats;
  };
  const step = (batch: number, frames: number) =>
    count((plan) =>
      recordStep(
        plan,
        {
          x: virtualTensor([batch, frames, ...size, channels]),
          t: virtualTensor([batch]),
          context: virtualTensor([batch, text.config.length, text.config.width]),
          mask: virtualTensor([batch, text.config.length]),
          pooled: virtualTensor([batch, text.config.width]),
          motion: virtualTensor([batch, 2]),
          conditions: virtualTensor([batch, frames, ...size, conditionChannels(network.config)]),
        },
        parts,
      ),
    );
  const frames = clipFrames / manifest.latents.timeFactor;
  return {
    picture: step(2, 1),
    clip: step(1, frames),
    decode: count((plan) => recordDecode(plan, virtualTensor([1, frames, ...size, channels]), parts)),
    pictureSteps: 16,
    clipSteps: 8,
  };
}
