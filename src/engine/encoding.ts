// A picture to latents: the encoder over a loop of equal frames, which is how training encodes stills. It reads no files.
import { FlipbookError } from '../gpu/errors';
import { Plan } from '../gpu/plan';
import type { Program } from '../gpu/program';
import { sizeOf, type Tensor } from '../gpu/tensor';
import { type Pixels, premultiplied } from '../media/pixels';
import { encoder, normalise } from '../models/encoder';
import type { EncoderPart, LoadedModel } from './model';
import { persist } from './tensors';

export class PictureEncoder {
  /** [1, 1, H, W, C], normalised, kept until the next run: what a clip starts from. */
  readonly latents: Tensor;
  readonly #plan: Plan;
  readonly #rgba: Tensor;
  #program: Program | undefined;

  /** Records the plan. `compile` comes next. */
  constructor({ gpu, manifest }: LoadedModel, { weights, config }: EncoderPart) {
    const { size, spaceFactor, timeFactor, mean, std } = manifest.latents;
    const plan = new Plan(gpu, 'start picture');
    const [height, width] = size.map((positions) => positions * spaceFactor) as [number, number];
    this.#plan = plan;
    this.#rgba = plan.input([1, timeFactor, height, width, 4], 'f32', 'picture');
    const z = encoder(plan, this.#rgba, weights, config);
    this.latents = persist(plan, normalise(plan, z, mean, std), 'picture latents');
  }

  async compile(signal: AbortSignal, progress: () => (done: number, total: number) => void): Promise<void> {
    this.#program ??= await this.#plan.compile(signal, progress());
  }

  /** @param picture of the model's frame size, straight alpha */
  async run(picture: Pixels, signal: AbortSignal): Promise<void> {
    const program = this.#program;
    if (!program) throw new Error(`${this.#plan.label} is not compiled`);
    const [, frames = 0, height = 0, width = 0] = this.#rgba.shape;
    if (picture.width !== width || picture.height !== height) {
      const given = `${picture.width}×${picture.height}`;
      throw new FlipbookError('input', `The start picture is ${given}; this model takes ${width}×${height}.`);
    }
    const frame = premultiplied(picture);
    const loop = new Float32Array(sizeOf(this.#rgba.shape));
    for (let i = 0; i < frames; i++) loop.set(frame, i * frame.length);
    program.write(this.#rgba, loop);
    await program.submit(signal);
  }

  dispose(): void {
    this.#program?.dispose();
    this.#program = undefined;
  }
}
