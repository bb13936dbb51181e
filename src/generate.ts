// The one pipeline: options → a stream of events, with the picture, the clip, its frames and the file on the way.
// It draws no page; weights, programs and the canvas are the Engine's.
import { samplerTable } from './diffusion/samplers';
import { createProcess } from './diffusion/schedule';
import type { Engine, Programs } from './engine/engine';
import { maskOutside } from './engine/given';
import type { LoadedModel } from './engine/model';
import { Remaining, totals } from './engine/progress';
import { metadataOf, VideoRecorder } from './engine/recorder';
import type { Stage } from './engine/stage';
import { stream } from './engine/stream';
import type { GenerateEvent, GenerateStats } from './events';
import { FlipbookError, lossOr, throwIfAborted } from './gpu/errors';
import type { Tensor } from './gpu/tensor';
import type { Pixels } from './media/pixels';
import type { GenerateOptions } from './options';
import { parseRedraw, whole } from './redraw';
import { drawnPictures, placesOf, scenesOf } from './scenes';
import { validate } from './validate';

export { type Engine, type EngineOptions, openEngine } from './engine/engine';

/** Noise streams: x_T of a stage, then one per step (at most 1000). */
const streams = { picture: 0, clip: 10_000 } as const;

/**
 * Makes one clip: picture first, then the clip given the picture (Emu Video, Girdhar et al. 2023), then its frames. With
 * `picture` the first part is the visitor's: it is encoded, and the prompt may be empty. With `options.redraw` a box of that
 * picture is denoised from the prompt, given the rest, or all of it, given that as a sketch. A prompt of several scenes
 * makes a picture of each, and a clip that leads from one to the next and back to the first.
 * Ends after 'done'. Where no video can be encoded the clip still plays, and 'done' says why.
 * @param picture of the model's frame size, straight alpha; given exactly where `options.picture` names it
 * @throws FlipbookError: 'cancelled' soon after the signal aborts (after the submit that is running), 'input', 'weights',
 * 'out-of-memory', 'limits', 'device-lost', 'shader'. The engine stays usable, except after 'device-lost'.
 */
export function generate(
  engine: Engine,
  options: GenerateOptions,
  signal?: AbortSignal,
  picture?: Pixels,
): AsyncGenerator<GenerateEvent, void> {
  return stream<GenerateEvent>(async (emit, own) => {
    if (engine.busy) throw new Error('the engine makes one clip at a time');
    engine.clearFailure();
    engine.busy = true;
    try {
      await run(engine, options, picture, emit, own);
    } catch (error) {
      throw error instanceof FlipbookError ? error : await lossOr(engine.gpu.lost, error);
    } finally {
      engine.screen.isTaken = false;
      engine.busy = false;
    }
  }, signal);
}

async function run(
  engine: Engine,
  asked: GenerateOptions,
  picture: Pixels | undefined,
  emit: (event: GenerateEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const began = performance.now();
  throwIfAborted(signal);
  engine.gpu.resetPeak();
  const part = totals((loaded, total) => emit({ type: 'load', loaded, total }));
  const model = await engine.model(signal, part());
  const { manifest } = model;
  const options = check(asked, model, picture);
  tellUnread(options, model, emit);
  const encoder = picture && (await engine.encoder(model, signal, part()));
  const loaded = performance.now();
  const latentFrames = options.frames / manifest.latents.timeFactor;
  const { clipGuidance } = manifest.defaults;
  const shape = {
    latentFrames,
    pictureGuided: options.guidance !== 1,
    clipGuided: clipGuidance !== 1,
    encoder,
    drawn: drawnPictures(options) > 0,
  };
  // The video encoder is tried before the work, not after it.
  const finished = { fps: manifest.defaults.fps, metadata: metadataOf(options, model) };
  const recorder = await VideoRecorder.open(engine.screen, finished, signal);
  try {
    const ready = performance.now();
    const programs = await engine.programs(model, shape, signal, (done, total) =>
      emit({ type: 'compile', done, total }),
    );
    const compiled = performance.now();
    const plan = planWork(options, model, programs);
    const making = { engine, options, model, programs, emit, signal, remaining: plan.remaining };
    const drawn = await drawScenes(making, plan.picture, picture);
    const clip = programs.clipStage && (await sample(making, programs.clipStage, plan.clip, clipTask(options)));
    const { latents, perStep } = clip ?? drawn;
    const decoded = await decode(making, latents, recorder);
    const recording = await recorder.close();
    // What is captured of a lost device, or after a command that was refused, may be black.
    await engine.gpu.idle();
    engine.gpu.check();
    throwIfAborted(signal);
    // Not before: whoever cancels to the very last keeps the clip that there was.
    engine.finish({ ...finished, store: programs.frames });
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
    emit({ type: 'done', ...recording, options, stats });
  } finally {
    await recorder.cancel();
  }
}

/** Each scene is read by itself. */
function tellUnread({ prompt }: GenerateOptions, { text }: LoadedModel, emit: (event: GenerateEvent) => void): void {
  const scenes = scenesOf(prompt).map((scene) => text.reader.unread(scene));
  const unknown = [...new Set(scenes.flatMap((scene) => scene.unknown))];
  const cut = scenes.map((scene) => scene.cut).filter(Boolean);
  if (unknown.length > 0 || cut.length > 0) emit({ type: 'unread', unknown, cut });
}

/** The options in their usual form (`#rrggbb`), where model and picture go with them. */
function check(asked: GenerateOptions, { manifest }: LoadedModel, given: Pixels | undefined): GenerateOptions {
  const checked = validate({ ...asked });
  if (!checked.ok) throw new FlipbookError('input', Object.values(checked.errors).join(' '));
  const { options } = checked;
  const { min, max, multipleOf } = manifest.limits.frames;
  if (options.frames < min || options.frames > max || options.frames % multipleOf !== 0) {
    const expected = `${min} to ${max} in steps of ${multipleOf}`;
    throw new FlipbookError('input', `Frames is ${options.frames}; this model makes ${expected}.`);
  }
  if ((options.picture !== undefined) !== (given !== undefined)) {
    const [said, was] = given ? ['do not name', 'one was given'] : ['name', 'none was given'];
    throw new FlipbookError('input', `The options ${said} a start picture, but ${was}.`);
  }
  return options;
}

/** A clip in the making, and what it is made with. */
interface Making {
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
function planWork(options: GenerateOptions, { manifest }: LoadedModel, programs: Programs) {
  const { pictureStage, clipStage, preview, stem, head, frames } = programs;
  const { defaults } = manifest;
  // A model may want more steps for its picture: in proportion, so that the visitor's choice still counts.
  const pictureSteps = Math.max(
    1,
    Math.round((options.steps * (defaults.pictureSteps ?? defaults.steps)) / defaults.steps),
  );
  const clipSteps = clipStage ? options.steps : 0;
  const drawn = pictureStage ? drawnPictures(options) * pictureSteps * (pictureStage.flops + preview.flops) : 0;
  const sampling = drawn + clipSteps * ((clipStage?.flops ?? 0) + preview.flops);
  const decoding = stem.flops + (head.flops * frames.frames) / head.frames;
  return {
    picture: { steps: pictureSteps, guidance: options.guidance },
    clip: { steps: clipSteps, guidance: defaults.clipGuidance },
    remaining: new Remaining(sampling + decoding),
  };
}

/** What a stage made: latents, to be used before it makes the next, and the seconds of a step. */
interface Drawn {
  readonly latents: Tensor;
  readonly perStep: number;
}

/** What one run of a stage is about. */
interface Task {
  readonly name: 'picture' | 'clip';
  readonly prompt: string;
  readonly motion?: number | undefined;
  readonly scene?: { readonly index: number; readonly of: number };
}

/**
 * The clip's prompt is that of all scenes together, as far as its tokens reach. Each scene's picture was drawn from its own
 * prompt in full, and shows the clip which scene is where.
 */
function clipTask({ prompt, motion }: GenerateOptions): Task {
  return { name: 'clip', prompt: scenesOf(prompt).filter(Boolean).join(', '), motion };
}

/**
 * Each scene's picture, and where the clip goes by it. Two or more stand in the clip as they are, which makes it a story; from
 * a single one it starts, free to move. All pictures come from the same noise: alike in composition, they change smoothly.
 * @returns the last one: without a clip it is the only one
 */
async function drawScenes(making: Making, plan: StagePlan, picture: Pixels | undefined): Promise<Drawn> {
  const { options, programs } = making;
  const given = programs.clipStage?.given;
  const scenes = scenesOf(options.prompt);
  const places = placesOf(scenes.length, programs.latentFrames);
  given?.clear();
  let last: Drawn | undefined;
  for (const [i, { at, near }] of places.entries()) {
    const scene = scenes.length > 1 ? { scene: { index: i + 1, of: scenes.length } } : {};
    const task: Task = { name: 'picture', prompt: scenes[i] ?? '', ...scene };
    last = await drawScene(making, plan, task, i === 0 ? picture : undefined);
    given?.show(last.latents, near);
    if (scenes.length > 1) given?.keep(last.latents, at);
  }
  if (!last) throw new RangeError('a prompt has at least one scene');
  return last;
}

/** The visitor's picture, encoded, with a part or all of it drawn anew where that is asked for; without one, words alone. */
async function drawScene(making: Making, plan: StagePlan, task: Task, picture: Pixels | undefined): Promise<Drawn> {
  const { options, model, programs, signal } = making;
  const { pictureEncoder, pictureStage } = programs;
  const redraw = parseRedraw(options.redraw ?? '');
  pictureStage?.given.clear();
  if (pictureEncoder && picture) {
    await pictureEncoder.run(picture, signal);
    const { latents } = pictureEncoder;
    if (!redraw) return { latents, perStep: 0 };
    if (redraw === whole) pictureStage?.given.show(latents, [0]);
    else pictureStage?.given.keep(latents, 0, maskOutside(redraw, model.manifest.latents.size));
  }
  if (!pictureStage) throw new Error('no stage to draw a picture');
  return sample(making, pictureStage, plan, task);
}

/** Runs one stage to its end, with a preview of x̂0 after every step. */
async function sample(
  { engine, options, model, programs, emit, signal, remaining }: Making,
  stage: Stage,
  { steps, guidance }: StagePlan,
  { name, prompt, motion, scene }: Task,
): Promise<Drawn> {
  const { manifest } = model;
  await stage.start(
    {
      prompt: model.text.reader.read(prompt),
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
      ...(motion !== undefined && { motion }),
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
    engine.screen.isTaken = true;
    engine.screen.draw(frame, options.background);
    await engine.screen.show();
    remaining.spend(stage.flops + programs.preview.flops, (performance.now() - start) / 1000);
    const { share, eta } = remaining;
    emit({ type: 'step', index: i + 1, of: steps, stage: name, share, eta, ...(scene && { scene }) });
  }
  await stage.checkFinite();
  return { latents: stage.latents, perStep: spent / steps / 1000 };
}

/** Decodes, shows and records every frame. Returns the seconds of decoding alone. */
async function decode(
  { engine, options, programs, emit, signal, remaining }: Making,
  latents: Tensor,
  recorder: VideoRecorder,
) {
  const { stem, head, frames } = programs;
  const start = performance.now();
  const before = recorder.seconds;
  const sampled = remaining.share;
  for await (const index of frames.decode(stem, head, latents, signal)) {
    engine.screen.draw(frames.frame(index), options.background);
    await recorder.add(index);
    throwIfAborted(signal);
    const count = index + 1;
    const share = sampled + ((1 - sampled) * count) / frames.frames;
    // Frames are decoded a few at a time: the time so far is that of whole chunks.
    const decoded = Math.ceil(count / head.frames) * head.frames;
    const eta = ((performance.now() - start) / 1000 / decoded) * (frames.frames - count);
    emit({ type: 'frame', index: count, of: frames.frames, share, eta });
  }
  return (performance.now() - start) / 1000 - (recorder.seconds - before);
}
