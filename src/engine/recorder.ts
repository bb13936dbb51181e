// The file of one generation: opened before the work, fed frame by frame, and done without where the encoder fails.
// It decides no frames and no timing but the frame rate's.
import { version } from '../../package.json';
import { FlipbookError } from '../gpu/errors';
import type { ClipMetadata } from '../media/metadata';
import { type EncodedClip, Mp4Sink } from '../media/mp4';
import { frameTiming } from '../media/sink';
import type { GenerateOptions } from '../options';
import type { Engine } from './engine';
import type { LoadedModel } from './model';

/** What the files of a clip say about how it was made. */
export function metadataOf(options: GenerateOptions, { manifest, hash }: LoadedModel): ClipMetadata {
  const { name, version: modelVersion } = manifest;
  return { ...options, model: `${name} ${modelVersion}`, modelHash: hash, appVersion: version };
}

/** The file of one generation. The first failure of the encoder ends the file, not the clip. */
export class Recorder {
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
    const { fps } = model.manifest.defaults;
    const metadata = metadataOf(options, model);
    const recorder = new Recorder(engine, fps);
    const { width, height } = engine.screen;
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
