// The one pipeline: options → a stream of events, with the picture, the clip, its frames and the file on the way.
// It draws no page; weights, programs and the canvas are the Engine's.
import { version } from '../package.json';
import { samplerTable } from './diffusion/samplers';
import { createProcess } from './diffusion/schedule';
import type { Engine, Programs } from './engine/engine';
import type { LoadedModel } from './engine/model';
import { Remaining } from './engine/progress';
import type { Stage } from './engine/stage';
import { stream } from './engine/stream';
import type { GenerateEvent, GenerateStats } from './events';
import { FlipbookError, throwIfAborted } from './gpu/errors';
import type { Tensor } from './gpu/tensor';
import { type EncodedClip, Mp4Sink } from './media/mp4';
import { frameTiming } from './media/sink';
import { type GenerateOptions, validate } from './options';

export { type Engine, type EngineOptions, openEngine } from './engine/engine';

/** Noise streams: x_T of a stage, then one per step (at most 1000). */
const streams = { picture: 0, clip: 10_000 } as const;

/**
 * Makes one clip: picture first, then the clip given the picture (Emu Video, Girdhar et al. 2023), then its frames.
 * Ends after 'done'. Where no video can be encoded the clip still plays, and 'done' says why.
 * @throws FlipbookError: 'cancelled' soon after the signal aborts (after the submit that is running), 'input', 'weights',
 * 'out-of-memory', 'device-lost', 'shader'. The engine stays usable, except after 'device-lost'.
 */
export function generate(
  engine: Engine,
  options: GenerateOptions,
  signal?: AbortSignal,
): AsyncGenerator<GenerateEvent, void> {
  return stream<GenerateEvent>(async (emit, own) => {
    if (engine.busy) throw new Error('the engine makes one clip at a time');
    engine.busy = true;
    try {
      await run(engine, options, emit, own);
    } catch (error) {
      throw await explained(engine, error);
    } finally {
      engine.busy = false;
    }
  }, signal);
}

/** The loss of a device shows first as one or another failed call: then the loss is what to tell. */
async function explained({ gpu }: Engine, error: unknown): Promise<unknown> {
  if (error instanceof FlipbookError) return error;
  const soon = new Promise<undefined>((resolve) => setTimeout(resolve, 200));
  const lost = await Promise.race([gpu.lost, soon]);
  if (!lost) return error;
  const message = `The GPU device was lost${lost.message ? `: ${lost.message}` : ''}`;
  return new FlipbookError('device-lost', message, { cause: error });
}

async function run(
  engine: Engine,
  options: GenerateOptions,
  emit: (event: GenerateEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const began = performance.now();
  throwIfAborted(signal);
  const model = await engine.model(signal, (loaded, total) => emit({ type: 'load', loaded, total }));
  const loaded = performance.now();
  const { manifest } = model;
  check(options, model);
  const latentFrames = options.frames / manifest.latents.timeFactor;
  const { clipGuidance } = manifest.defaults;
  const shape = { latentFrames, guided: options.guidance !== 1, clipGuided: clipGuidance !== 1 };
  // The encoder is tried before the work, not after it.
  const recorder = await Recorder.open(engine, options, model, signal);
  try {
    const ready = performance.now();
    const programs = await engine.programs(model, shape, signal, (done, total) =>
      emit({ type: 'compile', done, total }),
    );
    const compiled = performance.now();
    const plan = schedule(options, model, programs);
    const sampler = { engine, options, model, programs, emit, signal, remaining: plan.remaining };
    const picture = await sample(sampler, programs.picture, plan.picture, 'picture');
    const clip = programs.stage && (await sample(sampler, programs.stage, plan.clip, 'clip'));
    const { latents, perStep } = clip ?? picture;
    const decoded = await decode(sampler, latents, recorder);
    const { video, codec, problem } = await recorder.close();
    const seconds: GenerateStats['seconds'] = {
      total: (performance.now() - began) / 1000,
      load: (loaded - began) / 1000,
      compile: (compiled - ready) / 1000,
      perStep,
      decode: decoded,
      encode: recorder.seconds,
    };
    const { bytesInUse, peakBytes: peakGpuBytes } = engine.gpu;
    const stats = { seconds, bytesInUse, peakGpuBytes };
    emit({ type: 'done', video, codec, options, stats, ...(problem && { problem }) });
  } finally {
    await recorder.cancel();
  }
}

function check(options: GenerateOptions, { manifest }: LoadedModel): void {
  const checked = validate({ ...options });
  if (!checked.ok) throw new FlipbookError('input', Object.values(checked.errors).join(' '));
  const { min, max, multipleOf } = manifest.limits.frames;
  if (options.frames < min || options.frames > max || options.frames % multipleOf !== 0) {
    const expected = `${min} to ${max} in steps of ${multipleOf}`;
    throw new FlipbookError('input', `Frames is ${options.frames}; this model makes ${expected}.`);
  }
}

interface Sampler {
  readonly engine: Engine;
  readonly options: GenerateOptions;
  readonly model: LoadedModel;
  readonly programs: Programs;
  readonly emit: (event: GenerateEvent) => void;
  readonly signal: AbortSignal;
  readonly remaining: Remaining;
}

interface StagePlan {
  readonly steps: number;
  readonly guidance: number;
}

/** Steps and guidance of both stages, and the work of everything. */
function schedule(options: GenerateOptions, { manifest }: LoadedModel, programs: Programs) {
  const { picture, stage, preview, stem, head, frames } = programs;
  const { defaults } = manifest;
  // A model may want more steps for its picture: in proportion, so that the visitor's choice still counts.
  const pictureSteps = Math.max(
    1,
    Math.round((options.steps * (defaults.pictureSteps ?? defaults.steps)) / defaults.steps),
  );
  const clipSteps = stage ? options.steps : 0;
  const sampling = pictureSteps * (picture.flops + preview.flops) + clipSteps * ((stage?.flops ?? 0) + preview.flops);
  const decoding = stem.flops + (head.flops * frames.frames) / head.frames;
  return {
    picture: { steps: pictureSteps, guidance: options.guidance },
    clip: { steps: clipSteps, guidance: defaults.clipGuidance },
    remaining: new Remaining(sampling + decoding),
  };
}

/** Runs one stage to its end, with a preview of x̂0 after every step. Returns its latents and the seconds of a step. */
async function sample(
  { engine, options, model, programs, emit, signal, remaining }: Sampler,
  stage: Stage,
  { steps, guidance }: StagePlan,
  name: 'picture' | 'clip',
) {
  const { manifest } = model;
  await stage.start(
    {
      prompt: model.text.reader.read(options.prompt),
      empty: model.text.reader.read(''),
      guidance,
      seed: options.seed,
      stream: streams[name],
      table: samplerTable({
        sampler: options.sampler,
        process: createProcess(manifest.process),
        prediction: manifest.prediction,
        steps,
      }),
      ...(name === 'clip' && { picture: programs.picture.latents }),
    },
    signal,
  );
  let spent = 0;
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    await stage.step(i, signal);
    spent += performance.now() - start;
    // A clip's preview goes through its frames: it moves while it denoises.
    const frame = await programs.preview.decode(stage.denoised, i % stage.shape.frames, signal);
    engine.screen.draw(frame, options.background);
    await engine.screen.show();
    remaining.spend(stage.flops + programs.preview.flops, (performance.now() - start) / 1000);
    emit({ type: 'step', index: i + 1, of: steps, stage: name, eta: remaining.eta });
  }
  await stage.checkFinite();
  return { latents: stage.latents, perStep: spent / steps / 1000 };
}

/** Decodes, shows and records every frame. Returns the seconds of decoding alone. */
async function decode(
  { engine, options, model, programs, emit, signal }: Sampler,
  latents: Tensor,
  recorder: Recorder,
) {
  const { stem, head, frames } = programs;
  const { fps } = model.manifest.defaults;
  engine.startDecoding();
  const start = performance.now();
  const before = recorder.seconds;
  for await (const index of frames.decode(stem, head, latents, signal)) {
    engine.screen.draw(frames.frame(index), options.background);
    await recorder.add(index);
    throwIfAborted(signal);
    emit({ type: 'frame', index: index + 1, of: frames.frames });
  }
  engine.finish(frames, fps, options.background);
  return (performance.now() - start) / 1000 - (recorder.seconds - before);
}

/** The file of one generation. The first failure of the encoder ends the file, not the clip. */
class Recorder {
  /** Spent so far on capturing and encoding. */
  seconds = 0;
  #problem: string | undefined;
  #sink: Mp4Sink | undefined;
  readonly #engine: Engine;
  readonly #fps: number;

  private constructor(engine: Engine, fps: number) {
    this.#engine = engine;
    this.#fps = fps;
  }

  static async open(
    engine: Engine,
    options: GenerateOptions,
    model: LoadedModel,
    signal: AbortSignal,
  ): Promise<Recorder> {
    const { manifest, hash } = model;
    const { fps } = manifest.defaults;
    const recorder = new Recorder(engine, fps);
    const { width, height } = engine.screen;
    const metadata = {
      ...options,
      model: `${manifest.name} ${manifest.version}`,
      modelHash: hash,
      appVersion: version,
    };
    await recorder.#attempt(async () => {
      recorder.#sink = await Mp4Sink.open({ width, height, fps, metadata, signal });
    });
    return recorder;
  }

  /** Shows what was drawn and records it as frame `index`. Must be called in the task that drew it. */
  async add(index: number): Promise<void> {
    const sink = this.#sink;
    const { screen } = this.#engine;
    if (!sink) return screen.show();
    await this.#attempt(async () => sink.add(await screen.capture(frameTiming(index, this.#fps))));
  }

  async close(): Promise<{ video: Blob | null; codec: string | null; problem: string | undefined }> {
    let clip: EncodedClip | undefined;
    const sink = this.#sink;
    if (sink) {
      await this.#attempt(async () => {
        clip = await sink.close();
      });
    }
    return { video: clip?.blob ?? null, codec: clip?.codec ?? null, problem: this.#problem };
  }

  async cancel(): Promise<void> {
    await this.#sink?.cancel();
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    const start = performance.now();
    try {
      await act();
    } catch (error) {
      const { code, message } = error instanceof FlipbookError ? error : new FlipbookError('encoder', String(error));
      if (code === 'cancelled' || code === 'device-lost' || code === 'out-of-memory') throw error;
      this.#problem = message;
      await this.#sink?.cancel();
      this.#sink = undefined;
    } finally {
      this.seconds += (performance.now() - start) / 1000;
    }
  }
}
