// Latents to frames: the stem over a whole loop, the head over a few frames at a time. It draws and encodes nothing.
import type { Gpu } from '../gpu/device';
import { disposeOnThrow } from '../gpu/dispose';
import { Plan } from '../gpu/plan';
import { sizeOf, type Tensor, view } from '../gpu/tensor';
import { denormalise, head, stem } from '../models/decoder';
import { Compilable } from './compilable';
import type { RecordableModel } from './model';
import { copyTensor, persist, subTensor } from './tensors';

/** One frame within a tensor of frames [1, n, H, W, 4], premultiplied RGBA. */
export interface FrameRef {
  readonly tensor: Tensor;
  readonly index: number;
}

/** Latents of a loop -> features of its frames. */
export class StemDecoder extends Compilable {
  /** [1, T, H, W, C], kept until the next run. */
  readonly features: Tensor;
  readonly #z: Tensor;

  constructor({ gpu, manifest, decoder }: RecordableModel, latentFrames: number) {
    const { channels, size, mean, std } = manifest.latents;
    const plan = new Plan(gpu, `stem of ${latentFrames}`);
    super(plan);
    [this.#z, this.features] = disposeOnThrow([plan], () => {
      const latents = plan.input([1, latentFrames, ...size, channels], 'f32', 'latents');
      const z = denormalise(plan, latents, mean, std);
      return [latents, persist(plan, stem(plan, z, decoder.weights.scope('stem'), decoder.config), 'features')];
    });
  }

  /** @param latents normalised, [1, T/4, 16, 16, 40] */
  async run(latents: Tensor, signal: AbortSignal): Promise<void> {
    const { program } = this;
    program.gpu.submit('latents', (encoder) => copyTensor(encoder, latents, this.#z));
    await program.submit(signal);
  }
}

/** Features of some frames -> these frames. */
export class HeadDecoder extends Compilable {
  /** Frames of a run: those of a latent frame are enough to fill a GPU, and few enough for the first to be seen early. */
  readonly frames: number;
  /** [1, n, 128, 128, 4], kept until the next run. */
  readonly rgba: Tensor;
  readonly #features: Tensor;

  /** @param features what a stem gives, for its shape */
  constructor({ gpu, manifest, decoder }: RecordableModel, features: Tensor) {
    const frames = manifest.latents.timeFactor;
    const plan = new Plan(gpu, `head of ${frames}`);
    super(plan);
    this.frames = frames;
    [this.#features, this.rgba] = disposeOnThrow([plan], () => {
      const given = plan.input([1, frames, ...features.shape.slice(2)], 'f32', 'features');
      return [given, persist(plan, head(plan, given, decoder.weights.scope('head'), decoder.config), 'frames')];
    });
  }

  /** Decodes frames `first …` of the features. */
  async run(features: Tensor, first: number, signal: AbortSignal): Promise<void> {
    const { program } = this;
    const frame = sizeOf(features.shape.slice(2));
    program.gpu.submit('features', (encoder) => copyTensor(encoder, features, this.#features, first * frame));
    await program.submit(signal);
  }
}

/** The frames of one loop on the GPU, as the canvas draws them. */
export class FrameStore {
  readonly #gpu: Gpu;
  readonly #rgba: Tensor;

  /** @param head for the shape of a frame */
  constructor(gpu: Gpu, head: HeadDecoder, frames: number) {
    this.#gpu = gpu;
    this.#rgba = gpu.empty([1, frames, ...head.rgba.shape.slice(2)], 'f32', 'frames of the clip');
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
   * @param latents normalised, [1, T/4, 16, 16, 40]
   */
  async *decode(stem: StemDecoder, head: HeadDecoder, latents: Tensor, signal: AbortSignal): AsyncGenerator<number> {
    await stem.run(latents, signal);
    const frame = sizeOf(this.#rgba.shape.slice(2));
    for (let first = 0; first < this.frames; first += head.frames) {
      await head.run(stem.features, first, signal);
      const place = subTensor(this.#rgba, head.rgba.shape, first * frame);
      this.#gpu.submit('keep frames', (encoder) => copyTensor(encoder, head.rgba, place));
      for (let i = 0; i < head.frames; i++) yield first + i;
    }
  }

  dispose(): void {
    this.#gpu.free(this.#rgba);
  }
}

/** One latent frame as a still, cheap enough for every step: the first of its equal frames. */
export class PreviewDecoder extends Compilable {
  readonly #z: Tensor;
  readonly #rgba: Tensor;

  constructor({ gpu, manifest, decoder }: RecordableModel) {
    const { channels, size, mean, std } = manifest.latents;
    const { config, weights } = decoder;
    const plan = new Plan(gpu, 'preview');
    super(plan);
    [this.#z, this.#rgba] = disposeOnThrow([plan], () => {
      const latents = plan.input([1, 1, ...size, channels], 'f32', 'latents');
      const features = stem(plan, denormalise(plan, latents, mean, std), weights.scope('stem'), config);
      const first = view(features, [1, 1, ...features.shape.slice(2)], 0);
      return [latents, persist(plan, head(plan, first, weights.scope('head'), config), 'frame')];
    });
  }

  /** @param latents normalised, [1, T, 16, 16, 40] @param index which of the T latent frames */
  async decode(latents: Tensor, index: number, signal: AbortSignal): Promise<FrameRef> {
    const { program } = this;
    const frame = sizeOf(this.#z.shape);
    program.gpu.submit('latents', (encoder) => copyTensor(encoder, latents, this.#z, index * frame));
    await program.submit(signal);
    return { tensor: this.#rgba, index: 0 };
  }
}
