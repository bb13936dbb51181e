// One sampling stage for a shape: programs for the prompt and for the noise, run once, and one for a step, run again and again.
// It knows no events, canvases or files; the coefficients come from src/diffusion.
import { noiseKey } from '../diffusion/noise';
import type { SamplerTable, StepCoefficients } from '../diffusion/samplers';
import { disposeOnThrow } from '../gpu/dispose';
import { FlipbookError } from '../gpu/errors';
import { Plan, type PlanStats } from '../gpu/plan';
import type { OnProgress } from '../gpu/progress';
import { reshape, type Tensor } from '../gpu/tensor';
import { type PromptRows, textEncoder } from '../models/text';
import { denoiser, type PromptFeatures, promptFeatures } from '../models/unet3d';
import { noiseUpdate } from '../ops/noise-update';
import { upsampleNearest } from '../ops/resample';
import { Compilable } from './compilable';
import { conditionsOf, Given } from './given';
import type { RecordableModel } from './model';
import { allOf } from './progress';
import { clearTensor, persist } from './tensors';

export interface StageShape {
  /** Latent frames; 1 makes a picture. */
  readonly frames: number;
  /** Whether the empty prompt is run along, for classifier-free guidance (Ho and Salimans, 2022). */
  readonly guided: boolean;
}

export interface StageStart {
  readonly prompt: PromptRows;
  readonly empty: PromptRows;
  readonly guidance: number;
  readonly seed: number;
  /** The noise of x_T; step i draws from `stream + 1 + i`. */
  readonly stream: number;
  readonly table: SamplerTable;
  /** How much it moves, 1 being usual of its kind in the training data; the model decides where it is left out. */
  readonly motion?: number;
}

/** Written by the CPU before the prompt's program; with guidance row 0 is the empty prompt. */
interface PromptInputs {
  readonly rows: Tensor; // [B, L, table]
  readonly mask: Tensor; // [B, L]
  readonly motion: Tensor; // [B, 2]
}

interface StepInputs {
  readonly x: Tensor; // [1, T, H, W, C]
  readonly denoised: Tensor; // [1, T, H, W, C]
  readonly t: Tensor; // [B]
  readonly step: Tensor; // [8]
  readonly key: Tensor; // [4] u32
}

/** The programs of a stage, one thing for each. */
type Each<Thing> = {
  /** Encodes the prompt and sets the conditions: once. */
  readonly prompt: Thing;
  /** Draws x_T: once. */
  readonly start: Thing;
  /** Again and again. */
  readonly step: Thing;
};

export class Stage {
  readonly shape: StageShape;
  /** Pictures and known latents: to be set, or cleared, before `start`. */
  readonly given: Given;
  readonly #parts: Each<Compilable>;
  readonly #prompt: PromptInputs;
  readonly #inputs: StepInputs;
  #start: StageStart | undefined;

  /** Records the plans. `compile` comes next. */
  constructor(model: RecordableModel, shape: StageShape) {
    this.shape = shape;
    const name = shape.frames === 1 ? 'picture' : `clip of ${shape.frames}`;
    const { gpu, manifest } = model;
    const plans = {
      prompt: new Plan(gpu, `${name} prompt`),
      start: new Plan(gpu, `${name} noise`),
      step: new Plan(gpu, name),
    };
    const { given, prompt, inputs } = disposeOnThrow(Object.values(plans), () => {
      const given = new Given(gpu, plans.prompt, shape.frames, manifest.latents.size, manifest.latents.channels);
      const prompt = recordPrompt(plans.prompt, model, shape, given);
      return { given, prompt, inputs: recordStep(plans, model, shape, { ...prompt, known: given.known }) };
    });
    this.given = given;
    this.#prompt = prompt.inputs;
    this.#inputs = inputs;
    this.#parts = {
      prompt: new Compilable(plans.prompt),
      start: new Compilable(plans.start),
      step: new Compilable(plans.step),
    };
  }

  /** Floating-point operations of one step. */
  get flops(): number {
    return this.#parts.step.flops;
  }

  /** What each program takes: the prompt's and the noise's run once, the step's again and again. */
  get stats(): Each<PlanStats> {
    const { prompt, start, step } = this.#parts;
    return { prompt: prompt.stats, start: start.stats, step: step.stats };
  }

  /** Latents x [1, T, H, W, C]: the result after the last step. */
  get latents(): Tensor {
    return this.#inputs.x;
  }

  /** x̂0 of the last step, for previews. */
  get denoised(): Tensor {
    return this.#inputs.denoised;
  }

  /** @param part makes a progress callback for each program */
  async compile(signal: AbortSignal, part: () => OnProgress): Promise<void> {
    await allOf(Object.values(this.#parts).map((program) => program.compile(signal, part)));
  }

  /** Draws x_T, encodes the prompt and sets the conditions. */
  async start(start: StageStart, signal: AbortSignal): Promise<void> {
    const { gpu } = this.#parts.step.program;
    const { x, denoised, step, key } = this.#inputs;
    const { rows, mask, motion } = this.#prompt;
    const prompts = this.shape.guided ? [start.empty, start.prompt] : [start.prompt];
    gpu.write(rows, join(prompts.map((prompt) => prompt.rows)));
    gpu.write(mask, join(prompts.map((prompt) => prompt.mask)));
    const moved = start.motion === undefined ? [0, 0] : [start.motion, 1];
    gpu.write(motion, Float32Array.from(prompts.flatMap(() => moved)));
    // x' = scale · noise, whatever the generation before has left.
    gpu.write(step, Float32Array.of(0, 0, 0, 0, 0, 0, start.table.initialScale, 0));
    gpu.write(key, noiseKey(start.seed, start.stream));
    gpu.submit('stage start', (encoder) => {
      clearTensor(encoder, x);
      clearTensor(encoder, denoised);
    });
    await this.#parts.start.program.submit(signal);
    await this.#parts.prompt.program.submit(signal);
    this.#start = start;
  }

  /** Runs step `index` of the table. */
  async step(index: number, signal: AbortSignal): Promise<void> {
    const { program } = this.#parts.step;
    const start = this.#start;
    const coefficients = start?.table.steps[index];
    if (!start || !coefficients) throw new RangeError(`step ${index} of ${start?.table.steps.length ?? 0}`);
    const { t, step, key } = this.#inputs;
    program.gpu.write(t, new Float32Array(t.shape[0]!).fill(coefficients.timestep));
    program.gpu.write(step, packStep(coefficients, start.guidance));
    program.gpu.write(key, noiseKey(start.seed, start.stream + 1 + index));
    await program.submit(signal);
  }

  /**
   * Waits for the GPU.
   * @throws FlipbookError 'numbers' where the latents hold NaN or infinity: a frame made from them would be a fabrication
   */
  async checkFinite(): Promise<void> {
    const latents = await this.#parts.step.program.read(this.#inputs.x);
    const wrong = latents.filter((value) => !Number.isFinite(value)).length;
    if (wrong === 0) return;
    throw new FlipbookError(
      'numbers',
      `The model's result is not a number in ${wrong} of ${latents.length} places, so there is no clip to show.`,
      {
        hint: 'Try another seed, more steps or less guidance. If it happens every time, the graphics driver is at fault.',
      },
    );
  }

  dispose(): void {
    for (const program of Object.values(this.#parts)) program.dispose();
  }
}

interface RecordedPrompt {
  readonly inputs: PromptInputs;
  readonly features: PromptFeatures;
  readonly conditions: Tensor; // [B, T, H, W, 84]
}

/** Text encoder, keys and values of every block, conditions: what no step changes. */
function recordPrompt(
  plan: Plan,
  { text, denoiser: network }: RecordableModel,
  { frames, guided }: StageShape,
  given: Given,
): RecordedPrompt {
  const { length, table } = text.config;
  const batch = guided ? 2 : 1;
  const rows = plan.input([batch, length, table], 'f32', 'token rows');
  const mask = plan.input([batch, length], 'f32', 'token mask');
  const encoded = textEncoder(plan, rows, mask, text.weights, text.config);
  const motion = plan.input([batch, 2], 'f32', 'motion'); // amount, is it given
  const features = promptFeatures(plan, { ...encoded, mask, motion }, network.weights, network.config, frames);
  const conditions = persist(plan, twiceIf(guided, plan, conditionsOf(plan, given)), 'conditions');
  const kept = {
    emb: persist(plan, features.emb, 'prompt embedding'),
    keysValues: features.keysValues.map((kv, i) => persist(plan, kv, `keys and values ${i}`)),
    mask,
    layout: features.layout && persist(plan, features.layout, 'layout'),
  };
  return { inputs: { rows, mask, motion }, features: kept, conditions };
}

function recordStep(
  plans: Pick<Each<Plan>, 'start' | 'step'>,
  { manifest, denoiser: network }: RecordableModel,
  { frames, guided }: StageShape,
  { features, conditions, known }: RecordedPrompt & { readonly known: Tensor },
): StepInputs {
  const { size, channels } = manifest.latents;
  const plan = plans.step;
  const inputs: StepInputs = {
    x: plan.input([1, frames, ...size, channels], 'f32', 'latents'),
    denoised: plan.input([1, frames, ...size, channels], 'f32', 'denoised'),
    t: plan.input([guided ? 2 : 1], 'f32', 'time'),
    step: plan.input([8], 'f32', 'step'),
    key: plan.input([4], 'u32', 'noise key'),
  };
  const { x, denoised, t, step, key } = inputs;
  const output = denoiser(
    plan,
    { x: twiceIf(guided, plan, x), t, conditions, prompt: features },
    network.weights,
    network.config,
  );
  noiseUpdate(plan, { x, output, previous: denoised, known, step, key });
  // x_T is a step too, from nothing: a = b = c = 0, d its scale.
  noiseUpdate(plans.start, { x, output: denoised, step, key });
  return inputs;
}

/** [1, T, H, W, C] -> itself, or [2, T, H, W, C], the same twice. */
function twiceIf(guided: boolean, plan: Plan, x: Tensor): Tensor {
  if (!guided) return x;
  const [, frames, height, width, channels] = x.shape as [number, number, number, number, number];
  const rows = upsampleNearest(plan, reshape(x, [1, 1, frames * height, width, channels]), [2, 1, 1]);
  return reshape(rows, [2, frames, height, width, channels]);
}

function packStep({ p, q, a, b, c, d }: StepCoefficients, guidance: number): Float32Array {
  return Float32Array.of(guidance, p, q, a, b, c, d, 0);
}

function join(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
