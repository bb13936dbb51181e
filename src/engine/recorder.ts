// The video of a clip: opened before the work, fed frame by frame, and done without where the encoder fails.
// It decides no frames and no timing but the frame rate's.
import { version } from '../../package.json';
import type { Recording } from '../events';
import { FlipbookError } from '../gpu/errors';
import { distrust, type EncoderChoice } from '../media/encoder';
import type { ClipMetadata } from '../media/metadata';
import { type EncodedClip, Mp4Sink } from '../media/mp4';
import { frameTiming } from '../media/sink';
import type { GenerateOptions } from '../options';
import type { LoadedModel } from './model';
import type { Screen } from './screen';

/** What the files of a clip say about how it was made. */
export function metadataOf(options: GenerateOptions, { manifest, hash }: LoadedModel): ClipMetadata {
  const { name, version: modelVersion } = manifest;
  return { ...options, model: `${name} ${modelVersion}`, modelHash: hash, appVersion: version };
}

/** The frames are still there, and another encoder may do. */
const hintMidway = 'Press Download MP4 to try again, with another encoder where there is one.';

/** The first failure of the encoder ends the file, not the clip. */
export class VideoRecorder {
  /** Spent so far on capturing and encoding. */
  seconds = 0;
  #problem: Recording['problem'];
  #choice: EncoderChoice | undefined;
  #sink: Mp4Sink | undefined;
  readonly #screen: Screen;
  readonly #fps: number;

  private constructor(screen: Screen, fps: number) {
    this.#screen = screen;
    this.#fps = fps;
  }

  /**
   * Tries an encoder, so that one that fails is known before the work. Without any it still shows frames.
   * @throws FlipbookError 'cancelled', 'device-lost' or 'out-of-memory'
   */
  static async open(
    screen: Screen,
    { fps, metadata }: { readonly fps: number; readonly metadata: ClipMetadata },
    signal: AbortSignal,
  ): Promise<VideoRecorder> {
    const recorder = new VideoRecorder(screen, fps);
    const { width, height } = screen;
    await recorder.#attempt(async () => {
      const onChoice = (choice: EncoderChoice) => {
        recorder.#choice = choice;
      };
      recorder.#sink = await Mp4Sink.open({ width, height, fps, metadata, signal, onChoice });
    });
    return recorder;
  }

  /**
   * Shows what was drawn and records it as frame `index`. Must be called in the task that drew it.
   * @throws FlipbookError 'cancelled', 'device-lost' or 'out-of-memory'
   */
  async add(index: number): Promise<void> {
    const sink = this.#sink;
    if (!sink) return this.#screen.show();
    await this.#attempt(async () => sink.add(await this.#screen.capture(frameTiming(index, this.#fps))));
  }

  /**
   * Ends the file. @returns it, or null and why there is none
   * @throws FlipbookError 'cancelled', 'device-lost' or 'out-of-memory'
   */
  async close(): Promise<Recording> {
    let clip: EncodedClip | undefined;
    const sink = this.#sink;
    if (sink) {
      await this.#attempt(async () => {
        clip = await sink.close();
      });
    }
    const problem = this.#problem;
    return { video: clip?.blob ?? null, codec: clip?.codec ?? null, ...(problem && { problem }) };
  }

  /** Gives the encoder up and frees what it holds; after `close` it does nothing. */
  async cancel(): Promise<void> {
    await this.#sink?.cancel();
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    const start = performance.now();
    try {
      await act();
    } catch (error) {
      const failure = error instanceof FlipbookError ? error : new FlipbookError('encoder', String(error));
      const { code, message, hint } = failure;
      if (code === 'cancelled' || code === 'device-lost' || code === 'out-of-memory') throw error;
      this.#problem = { message, hint: this.#choice ? hintMidway : hint };
      if (this.#choice) distrust(this.#choice);
      await this.#sink?.cancel();
      this.#sink = undefined;
    } finally {
      this.seconds += (performance.now() - start) / 1000;
    }
  }
}
