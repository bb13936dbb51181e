// Latents to frames: the stem over a whole loop, the head over a few frames at a time. It draws and encodes nothing.
import { Plan, type PlanStats } from '../gpu/plan';
import type { Program } from '../gpu/program';
import { sizeOf, type Tensor, view } from '../gpu/tensor';
import { denormalise, head, stem } from '../models/decoder';
import type { LoadedModel, RecordableModel } from './model';
import { allOf } from './progress';
import { copyTensor, part, persist } from './tensors';

/** One frame within a tensor of frames [1, n, H, W, 4], premultiplied RGBA. */
export interface FrameRef {
  readonly tensor: Tensor;
  readonly index: number;
}

/** Frames that the head decodes at once: enough to fill a GPU, few enough for the first to be seen early. */
export const chunkFrames = 4;

/** Latents of a loop -> features of its frames. */
export class StemDecoder {
  readonly latentFrames: number;
  /** [1, T, H, W, C], kept until the next run. */
  readonly features: Tensor;
  readonly #plan: Plan;
  readonly #z: Tensor;
  #program: Program | undefined;

  constructor({ gpu, manifest, coder }: RecordableModel, latentFrames: number) {
    const { channels, size, mean, std } = manifest.latents;
    const plan = new Plan(gpu, `stem of ${latentFrames}`);
    this.latentFrames = latentFrames;
    this.#plan = plan;
    this.#z = plan.input([1, latentFrames, ...size, channels], 'f32', 'latents');
    const z = denormalise(plan, this.#z, mean, std);
    this.features = persist(plan, stem(plan, z, coder.weights.scope('stem'), coder.config), 'features');
  }

  get flops(): number {
    return this.stats.flops;
  }

  get stats(): PlanStats {
    return this.#plan.stats;
  }

  async compile(signal: AbortSignal, progress: () => (done: number, total: number) => void): Promise<void> {
    this.#program ??= await this.#plan.compile(signal, progress());
  }

  /** @param latents normalised, [1, ≥ T/4, 16, 16, 12]; the loop begins at latent frame `first` */
  async run(latents: Tensor, signal: AbortSignal, first = 0): Promise<void> {
    const program = compiled(this.#program, this.#plan);
    const frame = sizeOf(this.#z.shape) / this.latentFrames;
    copy(program, latents, this.#z, first * frame);
    await program.submit(signal);
  }

  dispose(): void {
    this.#program?.dispose();
    this.#plan.dispose();
    this.#program = undefined;
  }
}

/** Features of some frames -> these frames. */
export class HeadDecoder {
  /** Frames of a run. */
  readonly frames: number;
  /** [1, n, 128, 128, 4], kept until the next run. */
  readonly rgba: Tensor;
  readonly #plan: Plan;
  readonly #features: Tensor;
  #program: Program | undefined;

  /** @param features what a stem gives, for its shape */
  constructor({ gpu, coder }: RecordableModel, features: Tensor, frames: number) {
    const plan = new Plan(gpu, `head of ${frames}`);
    this.frames = frames;
    this.#plan = plan;
    this.#features = plan.input([1, frames, ...features.shape.slice(2)], 'f32', 'features');
    this.rgba = persist(plan, head(plan, this.#features, coder.weights.scope('head'), coder.config), 'frames');
  }

  get flops(): number {
    return this.stats.flops;
  }

  get stats(): PlanStats {
    return this.#plan.stats;
  }

  async compile(signal: AbortSignal, progress: () => (done: number, total: number) => void): Promise<void> {
    this.#program ??= await this.#plan.compile(signal, progress());
  }

  /** Decodes frames `first …` of the features. */
  async run(features: Tensor, first: number, signal: AbortSignal): Promise<void> {
    const program = compiled(this.#program, this.#plan);
    copy(program, features, this.#features, first * sizeOf(features.shape.slice(2)));
    await program.submit(signal);
  }

  dispose(): void {
    this.#program?.dispose();
    this.#plan.dispose();
    this.#program = undefined;
  }
}

/** The frames of one loop on the GPU, as the canvas draws them. */
export class FrameStore {
  readonly #model: LoadedModel;
  readonly #rgba: Tensor;

  /** @param head for the shape of a frame */
  constructor(model: LoadedModel, head: HeadDecoder, frames: number) {
    this.#model = model;
    this.#rgba = model.gpu.empty([1, frames, ...head.rgba.shape.slice(2)], 'f32', 'frames of the clip');
  }

  get frames(): number {
    return this.#rgba.shape[1]!;
  }

  frame(index: number): FrameRef {
    if (!(index >= 0 && index < this.frames)) throw new RangeError(`frame ${index} of ${this.frames}`);
    return { tensor: this.#rgba, index };
  }

  /**
   * Decodes a loop into the store and yields the index of every frame when it is there.
   * @param latents normalised, [1, T/4, 16, 16, 12]
   */
  async *decode(stem: StemDecoder, head: HeadDecoder, latents: Tensor, signal: AbortSignal): AsyncGenerator<number> {
    await stem.run(latents, signal);
    const frame = sizeOf(this.#rgba.shape.slice(2));
    for (let first = 0; first < this.frames; first += head.frames) {
      await head.run(stem.features, first, signal);
      const { device } = this.#model.gpu;
      const encoder = device.createCommandEncoder({ label: 'keep frames' });
      copyTensor(encoder, head.rgba, part(this.#rgba, head.rgba.shape, first * frame));
      device.queue.submit([encoder.finish()]);
      for (let i = 0; i < head.frames; i++) yield first + i;
    }
  }

  dispose(): void {
    this.#model.gpu.free(this.#rgba);
  }
}

/** One latent frame as a still, cheap enough for every step: the first of its equal frames. */
export class PreviewDecoder {
  readonly #stem: StemDecoder;
  readonly #head: HeadDecoder;

  constructor(model: RecordableModel) {
    this.#stem = new StemDecoder(model, 1);
    this.#head = new HeadDecoder(model, view(this.#stem.features, [1, 1, ...this.#stem.features.shape.slice(2)], 0), 1);
  }

  get flops(): number {
    return this.#stem.flops + this.#head.flops;
  }

  /** Of its two programs, each of which runs once for a picture. */
  get stats(): Readonly<Record<'stem' | 'head', PlanStats>> {
    return { stem: this.#stem.stats, head: this.#head.stats };
  }

  async compile(signal: AbortSignal, progress: () => (done: number, total: number) => void): Promise<void> {
    await allOf([this.#stem.compile(signal, progress), this.#head.compile(signal, progress)]);
  }

  /** @param latents normalised, [1, T, 16, 16, 12] @param index which of the T latent frames */
  async decode(latents: Tensor, index: number, signal: AbortSignal): Promise<FrameRef> {
    await this.#stem.run(latents, signal, index);
    await this.#head.run(this.#stem.features, 0, signal);
    return { tensor: this.#head.rgba, index: 0 };
  }

  dispose(): void {
    this.#stem.dispose();
    this.#head.dispose();
  }
}

function compiled(program: Program | undefined, plan: Plan): Program {
  if (!program) throw new Error(`${plan.label} is not compiled`);
  return program;
}

function copy(program: Program, from: Tensor, to: Tensor, first: number): void {
  const { device } = program.gpu;
  const encoder = device.createCommandEncoder({ label: 'input' });
  copyTensor(encoder, from, to, first);
  device.queue.submit([encoder.finish()]);
}
