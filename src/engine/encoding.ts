// A picture to latents: the encoder over a loop of equal frames, which is how training encodes stills. It reads no files.

import { disposeOnThrow } from '../gpu/dispose';
import { FlipbookError } from '../gpu/errors';
import { Plan } from '../gpu/plan';
import { sizeOf, type Tensor } from '../gpu/tensor';
import { type Pixels, premultiplied } from '../media/pixels';
import { encoder, normalise } from '../models/encoder';
import { Compilable } from './compilable';
import type { EncoderPart, LoadedModel } from './model';
import { persist } from './tensors';

export class PictureEncoder extends Compilable {
  /** [1, 1, H, W, C], normalised, kept until the next run: what a clip starts from. */
  readonly latents: Tensor;
  readonly #rgba: Tensor;

  /** Records the plan. `compile` comes next. */
  constructor({ gpu, manifest, decoder }: LoadedModel, { weights, config }: EncoderPart) {
    const { size, spaceFactor, timeFactor, mean, std } = manifest.latents;
    const plan = new Plan(gpu, 'start picture');
    const [height, width] = size.map((positions) => positions * spaceFactor) as [number, number];
    super(plan);
    [this.#rgba, this.latents] = disposeOnThrow([plan], () => {
      const rgba = plan.input([1, timeFactor, height, width, 4], 'f32', 'picture');
      const z = encoder(plan, rgba, { encoder: weights, decoder: decoder.weights }, config);
      return [rgba, persist(plan, normalise(plan, z, mean, std), 'picture latents')];
    });
  }

  /** @param picture of the model's frame size, straight alpha */
  async run(picture: Pixels, signal: AbortSignal): Promise<void> {
    const { program } = this;
    const [, frames = 0, height = 0, width = 0] = this.#rgba.shape;
    if (picture.width !== width || picture.height !== height) {
      const given = `${picture.width}×${picture.height}`;
      throw new FlipbookError('input', `The start picture is ${given}; this model takes ${width}×${height}.`);
    }
    const frame = premultiplied(picture);
    const loop = new Float32Array(sizeOf(this.#rgba.shape));
    for (let i = 0; i < frames; i++) loop.set(frame, i * frame.length);
    program.gpu.write(this.#rgba, loop);
    await program.submit(signal);
  }
}
