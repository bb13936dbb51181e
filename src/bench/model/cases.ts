// The whole model: one denoiser step and one decode, ours against the same weights as ONNX, and a step at several lengths.
import type { LoadedModel } from '../../engine/model';
import { Plan } from '../../gpu/plan';
import { type KernelTime, profile } from '../../gpu/profile';
import type { Tensor } from '../../gpu/tensor';
import type { Arm, BenchCase, Context } from '../case';
import { permute, randomValues } from '../data';
import { type MeasureOptions, measureCase } from '../measure';
import type { CaseResult } from '../result';
import { type OrtRun, ortArms, prepareOrtWasm } from '../runtimes/ort';
import { type PlanBuilder, prepareOurs } from '../runtimes/ours';
import { type GoldenStep, goldenStep, graph, weightFile } from './files';
import { decodePlan, goldenStepPlan, randomStepPlan } from './plans';

const tolerance = 1e-3;

export async function denoiserStep(context: Context, model: LoadedModel, modelUrl: string): Promise<BenchCase> {
  const golden = await goldenStep(model);
  const build = goldenStepPlan(model, golden);
  return {
    group: 'denoiser_step',
    name: `one step of ${golden.frames * model.manifest.latents.timeFactor} frames, the prompt's keys and values included`,
    source: 'embedded model',
    cost: costOf(build),
    tolerance,
    reference: async () => golden.velocity,
    arms: [
      ours(context, build, 'one program of the engine, submitted in slices'),
      ...ortArms(context, 'denoiser_step.onnx', () => stepRun(model, modelUrl, golden)),
    ],
    profile: () => profileOf(context, build),
  };
}

/** The decoder's graph may be of one length only; its reference is onnxruntime on the CPU, which shares no code with us. */
export async function decode(context: Context, model: LoadedModel, modelUrl: string): Promise<BenchCase> {
  const { channels, size, timeFactor } = model.manifest.latents;
  const run = await decodeRun(context, model, modelUrl);
  const [, frames] = run.inputs[0]!.shape as [number, number];
  const latents = permute(run.inputs[0]!.data, [frames, channels, ...size], [0, 2, 3, 1]);
  const build = decodePlan(model, frames, latents);
  return {
    group: 'decode',
    name: `${frames * timeFactor} frames of 128×128`,
    source: 'embedded model',
    cost: costOf(build),
    tolerance,
    reference: async () => {
      const prepared = await prepareOrtWasm(await context.ort(), run);
      await prepared.run();
      const rgba = await prepared.output();
      prepared.dispose();
      return rgba;
    },
    arms: [
      ours(context, build, 'one program of the engine, submitted in slices'),
      ...ortArms(context, 'decoder.onnx', () => run),
    ],
    profile: () => profileOf(context, build),
  };
}

function ours(context: Context, build: (recorder: PlanBuilder) => Tensor, how: string): Arm {
  return {
    runtime: 'flipbook',
    kind: 'ours',
    how,
    prepare: () => prepareOurs(context.gpu, build, { sliced: true }),
  };
}

async function profileOf(context: Context, build: (recorder: PlanBuilder) => Tensor): Promise<KernelTime[]> {
  const prepared = await prepareOurs(context.gpu, build, { sliced: true });
  try {
    await prepared.run(); // warm
    return await profile(prepared.program, context.gpu.isSoftware ? 1 : 20);
  } finally {
    prepared.dispose();
  }
}

async function stepRun(model: LoadedModel, modelUrl: string, golden: GoldenStep): Promise<OrtRun> {
  const { frames } = golden;
  const { channels, size } = model.manifest.latents;
  const { length, width } = model.text.config;
  const file = model.manifest.modules.denoiser.file;
  const first = (data: Float32Array) => {
    const last = data.length / (frames * size[0] * size[1]);
    return { shape: [1, frames, last, ...size], data: permute(data, [frames, ...size, last], [0, 3, 1, 2]) };
  };
  return {
    model: await graph('denoiser_step'),
    externalData: await weightFile(modelUrl, file),
    inputs: [
      { name: 'x', ...first(golden.x) },
      { name: 't', shape: [1], data: Float32Array.of(golden.t) },
      { name: 'context', shape: [1, length, width], data: golden.context },
      { name: 'mask', shape: [1, length], data: golden.mask },
      { name: 'pooled', shape: [1, width], data: golden.pooled },
      { name: 'motion', shape: [1, 2], data: Float32Array.from(golden.motion) },
      { name: 'conditions', ...first(golden.conditions) },
    ],
    output: { name: 'velocity', shape: [1, frames, channels, ...size] },
    arrange: (y) => permute(y, [frames, channels, ...size], [0, 2, 3, 1]),
  };
}

async function decodeRun(context: Context, model: LoadedModel, modelUrl: string): Promise<OrtRun> {
  const { channels, size, timeFactor, spaceFactor } = model.manifest.latents;
  const bytes = await graph('decoder');
  const externalData = await weightFile(modelUrl, model.manifest.modules.decoder.file);
  const { api } = await context.ort();
  const session = await api.InferenceSession.create(bytes, { executionProviders: ['wasm'], externalData });
  const about = session.inputMetadata[0];
  const given = about?.isTensor ? about.shape[1] : undefined;
  await session.release();
  const frames = typeof given === 'number' ? given : 3;
  const shape = [1, frames, channels, ...size];
  const pixels = size.map((extent) => extent * spaceFactor);
  return {
    model: bytes,
    externalData,
    inputs: [{ name: 'latents', shape, data: randomValues(shape) }],
    output: { name: 'rgba', shape: [1, frames * timeFactor, 4, ...pixels] },
    arrange: (y) => permute(y, [frames * timeFactor, 4, ...pixels], [0, 2, 3, 1]),
  };
}

/** Work of the recorded plan, without a GPU. */
function costOf(build: (recorder: PlanBuilder) => Tensor): { flops: number; bytes: number } {
  const plan = new Plan(null, 'count');
  const input = (shape: readonly number[]) => plan.input(shape);
  build({ plan, f32: input, f16: input });
  const { flops, bytes } = plan.stats;
  return { flops, bytes };
}

/** One step at several lengths, and several steps at one: nothing to compare with but each other. */
export async function frameCases(
  context: Context,
  model: LoadedModel,
  options: MeasureOptions,
  done: (result: CaseResult) => void,
): Promise<void> {
  const { timeFactor } = model.manifest.latents;
  const lengths = [12, 36, 72, 144].map((frames) => ({ frames, steps: 1 }));
  for (const { frames, steps } of [...lengths, { frames: 12, steps: 4 }]) {
    const build = randomStepPlan(model, frames / timeFactor);
    const { flops, bytes } = costOf(build);
    const arm = ours(context, build, 'the engine');
    const repeated: Arm = {
      ...arm,
      prepare: async () => {
        const prepared = await arm.prepare();
        return {
          ...prepared,
          run: async () => {
            for (let step = 0; step < steps; step++) await prepared.run();
          },
          // A result at another length has no reference: that it is finite is all that is asked here.
          output: async () => Float32Array.of((await prepared.output()).every(Number.isFinite) ? 1 : 0),
        };
      },
    };
    const result = await measureCase(
      {
        group: 'frames',
        name: `${frames} frames, ${steps === 1 ? 'one step' : `${steps} steps`}`,
        source: 'embedded model',
        cost: { flops: steps * flops, bytes: steps * bytes },
        tolerance: 0,
        reference: async () => [1],
        arms: [repeated],
      },
      { ...options, pace: { ...options.pace, warmUps: 1, turns: 3, slowTurns: 2 } },
    );
    done({ ...result, frames, steps });
  }
}
