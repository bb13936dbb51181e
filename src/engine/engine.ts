// What lasts from one generation to the next: the GPU, the canvas, the model and the compiled programs.
// It makes no clip (src/generate.ts does).
import type { Gpu } from '../gpu/device';
import { disposeOnThrow } from '../gpu/dispose';
import { type ErrorCode, FlipbookError, throwIfAborted } from '../gpu/errors';
import { openGpu } from '../gpu/open';
import type { OnProgress } from '../gpu/progress';
import { rememberRefusal } from '../gpu/remembered';
import type { Canvas } from '../media/canvas';
import { chooseCapture } from '../media/selfcheck';
import { Cutout } from './cutout';
import { FrameStore, HeadDecoder, PreviewDecoder, StemDecoder } from './decoding';
import { PictureEncoder } from './encoding';
import { type Finished, FinishedClip } from './finished';
import { type EncoderPart, type LoadedModel, loadEncoder, loadModel } from './model';
import { allOf, totals } from './progress';
import { Screen } from './screen';
import { Stage } from './stage';

export interface EngineOptions {
  /** Shows previews and the clip; the engine sets its size to the video's. Without one it draws on a canvas of its own. */
  readonly canvas?: Canvas;
  /** The model's folder, with a slash at its end. */
  readonly modelUrl: string;
  /** See `ModelSource`. */
  readonly title?: string;
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal;
}

/** What depends on the length of the clip. */
interface ClipPrograms {
  readonly latentFrames: number;
  readonly clipGuided: boolean;
  /** `null` where the clip is a single latent frame: then the picture decides. */
  readonly clipStage: Stage | null;
  readonly stem: StemDecoder;
  /** The same for clips of any length. */
  readonly head: HeadDecoder;
}

/** The programs of one generation. */
export interface Programs extends ClipPrograms {
  /** Takes in the visitor's picture, if there is one. */
  readonly pictureEncoder: PictureEncoder | null;
  /** Draws pictures, or a part of one; `null` where the visitor's, as it is, is the only one. */
  readonly pictureStage: Stage | null;
  readonly preview: PreviewDecoder;
  /** Where the decoded frames go. */
  readonly frames: FrameStore;
}

export interface ProgramShape {
  readonly latentFrames: number;
  /** Guidance in the picture stage, and in the clip stage. */
  readonly pictureGuided: boolean;
  readonly clipGuided: boolean;
  /** Where the visitor gives the picture. */
  readonly encoder: EncoderPart | undefined;
  /** Whether any picture is drawn, whole or in part. */
  readonly drawn: boolean;
}

/** Opens the GPU. The model is loaded by the first generation. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  throwIfAborted(options.signal);
  // Before the device: see checkCapture.
  const { path, problem } = await chooseCapture();
  if (problem) console.info(`Frames go through memory to the canvas and the encoder: ${problem}`);
  const gpu = await openGpu();
  try {
    throwIfAborted(options.signal);
    return new Engine(gpu, await Screen.open(gpu, path, options.canvas), options);
  } catch (error) {
    gpu.dispose();
    throw error;
  }
}

export class Engine {
  readonly gpu: Gpu;
  readonly screen: Screen;
  /** Generations run one at a time. */
  busy = false;
  readonly #options: EngineOptions;
  #model: LoadedModel | undefined;
  #encoder: EncoderPart | undefined;
  #pictureStage: Stage | undefined;
  #pictureEncoder: PictureEncoder | undefined;
  #preview: PreviewDecoder | undefined;
  #head: HeadDecoder | undefined;
  #clipPrograms: ClipPrograms | undefined;
  /** For the clip in the making; a run that is given up leaves it to the next. */
  #frames: FrameStore | undefined;
  #cutout: Promise<Cutout> | undefined;
  #clip: FinishedClip | undefined;
  /** Files and pixels of the finished clip that are being made. */
  #watched = 0;

  constructor(gpu: Gpu, screen: Screen, options: EngineOptions) {
    this.gpu = gpu;
    this.screen = screen;
    this.#options = options;
  }

  get adapterName(): string {
    return this.gpu.adapterName;
  }

  /** The finished clip, until the next one is finished. */
  get clip(): FinishedClip | undefined {
    return this.#clip;
  }

  /** The model: loaded by the first call that succeeds. @param onProgress bytes of all files */
  async model(signal: AbortSignal, onProgress: OnProgress): Promise<LoadedModel> {
    this.#model ??= await loadModel(this.gpu, this.#options, signal, onProgress);
    return this.#model;
  }

  /** The weights for start pictures: loaded by the first call that succeeds. @param onProgress bytes */
  async encoder(model: LoadedModel, signal: AbortSignal, onProgress: OnProgress): Promise<EncoderPart> {
    this.#encoder ??= await loadEncoder(model, this.#options, signal, onProgress);
    return this.#encoder;
  }

  /**
   * Compiled programs, those of the last generation where the shapes agree; those that no longer fit are freed first. What
   * this generation does without (drawing a picture, taking one in) stays for the next. A driver may offer features whose
   * kernels it then refuses: it gets those without.
   * @param onProgress pipelines of all programs
   */
  async programs(
    model: LoadedModel,
    shape: ProgramShape,
    signal: AbortSignal,
    onProgress: OnProgress,
  ): Promise<Programs> {
    try {
      return await this.#compiled(model, shape, signal, onProgress);
    } catch (error) {
      const { refused } = this.gpu; // A refused command alone does not tell whether it was the features.
      if (!hasCode(error, 'shader') || !this.gpu.doWithoutFeatures()) throw error;
      if (this.#watched === 0) this.gpu.clearFailure(); // The refused command would stop the second try, too.
      const programs = await this.#compiled(model, shape, signal, onProgress);
      if (refused) void rememberRefusal(refused);
      return programs;
    }
  }

  async #compiled(
    model: LoadedModel,
    shape: ProgramShape,
    signal: AbortSignal,
    onProgress: OnProgress,
  ): Promise<Programs> {
    const { latentFrames, clipGuided } = shape;
    const old = this.#clipPrograms;
    if (old && (old.latentFrames !== latentFrames || old.clipGuided !== clipGuided)) this.#dropClip();
    if (shape.drawn && this.#pictureStage?.shape.guided !== shape.pictureGuided) this.#dropPictureStage();
    try {
      const pictureEncoder = shape.encoder ? this.#planPictureEncoder(model, shape.encoder) : null;
      await turn(signal);
      const pictureStage = shape.drawn ? this.#planPictureStage(model, shape.pictureGuided) : null;
      await turn(signal);
      this.#preview ??= new PreviewDecoder(model);
      await turn(signal);
      const clip = this.#clipPrograms ?? this.#planClip(model, latentFrames, clipGuided);
      this.#clipPrograms = clip;
      this.#frames ??= new FrameStore(model.gpu, clip.head, latentFrames * model.manifest.latents.timeFactor);
      const part = totals(onProgress);
      const all = [pictureEncoder, pictureStage, clip.clipStage, clip.stem, clip.head, this.#preview];
      await allOf(all.flatMap((program) => (program ? [program.compile(signal, part)] : [])));
      await this.gpu.settled();
      return { ...clip, pictureEncoder, pictureStage, preview: this.#preview, frames: this.#frames };
    } catch (error) {
      const full = await this.#full();
      this.#dropAll();
      // The weights may be what did not fit. Free them in any case: a failed upload is never retried and would also stop the
      // finished clip.
      if (full || hasCode(error, 'out-of-memory')) this.#dropWeights();
      // A kernel may be refused for lack of memory: then that is the failure.
      throw full && hasCode(error, 'shader') ? full : error;
    }
  }

  /** Why an allocation has failed, where one has. */
  async #full(): Promise<unknown> {
    return this.gpu.settled().then(
      () => undefined,
      (reason) => (hasCode(reason, 'out-of-memory') ? reason : undefined),
    );
  }

  /** The frames of `programs` are a whole clip now, which takes the place of the one before. */
  finish(finished: Finished): void {
    this.#clip?.dispose();
    this.screen.isTaken = false;
    const { screen, gpu } = this;
    this.#clip = new FinishedClip(finished, {
      screen,
      cutout: () => this.#openCutout(),
      drawn: () => gpu.idle(),
      watched: (work) => this.#watch(work),
    });
    this.#frames = undefined;
  }

  /** Lets go of what the GPU refused before; not beside other work, whose failure it may be. */
  clearFailure(): void {
    if (!this.busy && this.#watched === 0) this.gpu.clearFailure();
  }

  /** Frees everything, the GPU included. */
  dispose(): void {
    this.#dropAll();
    this.#clip?.dispose();
    this.#clip = undefined;
    this.#dropWeights();
    void this.#cutout?.then((cutout) => cutout.dispose()).catch(() => undefined); // where it was never opened
    this.screen.dispose();
    this.gpu.dispose();
  }

  async #watch<T>(work: () => Promise<T>): Promise<T> {
    this.clearFailure();
    this.#watched++;
    try {
      const result = await work();
      this.gpu.check();
      return result;
    } finally {
      this.#watched--;
    }
  }

  #openCutout(): Promise<Cutout> {
    this.#cutout ??= Cutout.open(this.gpu).catch((error) => {
      this.#cutout = undefined; // so that it is tried again
      throw error;
    });
    return this.#cutout;
  }

  #planPictureEncoder(model: LoadedModel, encoder: EncoderPart): PictureEncoder {
    this.#pictureEncoder ??= new PictureEncoder(model, encoder);
    return this.#pictureEncoder;
  }

  #planPictureStage(model: LoadedModel, guided: boolean): Stage {
    this.#pictureStage ??= new Stage(model, { frames: 1, guided });
    return this.#pictureStage;
  }

  #planClip(model: LoadedModel, latentFrames: number, clipGuided: boolean): ClipPrograms {
    const stem = new StemDecoder(model, latentFrames);
    return disposeOnThrow([stem], () => {
      const head = this.#head ?? new HeadDecoder(model, stem.features);
      this.#head = head;
      const clipStage = latentFrames > 1 ? new Stage(model, { frames: latentFrames, guided: clipGuided }) : null;
      return { latentFrames, clipGuided, clipStage, stem, head };
    });
  }

  /** A finished clip stays: its frames need no program. */
  #dropClip(): void {
    this.#clipPrograms?.clipStage?.dispose();
    this.#clipPrograms?.stem.dispose();
    this.#clipPrograms = undefined;
    this.#frames?.dispose();
    this.#frames = undefined;
  }

  #dropPictureStage(): void {
    this.#pictureStage?.dispose();
    this.#pictureStage = undefined;
  }

  #dropAll(): void {
    this.#dropClip();
    this.#dropPictureStage();
    this.#pictureEncoder?.dispose();
    this.#pictureEncoder = undefined;
    this.#preview?.dispose();
    this.#preview = undefined;
    this.#head?.dispose();
    this.#head = undefined;
  }

  #dropWeights(): void {
    this.#model?.dispose();
    this.#model = undefined;
    this.#encoder?.weights.dispose();
    this.#encoder = undefined;
  }
}

function hasCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof FlipbookError && error.code === code;
}

/** Recording repacks weights for as long as a cancel may take: between two, messages get their turn. */
async function turn(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
  throwIfAborted(signal);
}
