// A finished clip: shown frame by frame, and made into files. Which frame is shown when is the player's (src/media/player.ts).
import type { Recording } from '../events';
import { throwIfAborted } from '../gpu/errors';
import { type AnimationOptions, openAnimation } from '../media/animation';
import type { ClipMetadata } from '../media/metadata';
import { type Pixels, toPng } from '../media/pixels';
import type { Cutout } from './cutout';
import type { FrameStore } from './decoding';
import { VideoRecorder } from './recorder';
import type { Screen } from './screen';

export interface Finished {
  readonly store: FrameStore;
  readonly fps: number;
  /** How it was made, for the files that are saved of it. */
  readonly metadata: ClipMetadata;
}

/** Where its frames are drawn. */
export interface Surfaces {
  readonly screen: Screen;
  /** For frames with their transparency; opened by the first that asks. */
  cutout(): Promise<Cutout>;
  /** Waits until what was drawn is there. @throws FlipbookError 'device-lost': then it is not */
  drawn(): Promise<void>;
  /** What `work` gives, unless the GPU refuses a command meanwhile. @throws FlipbookError: then what was drawn may be black */
  watched<T>(work: () => Promise<T>): Promise<T>;
}

export class FinishedClip {
  readonly fps: number;
  readonly #store: FrameStore;
  readonly #surfaces: Surfaces;
  #metadata: ClipMetadata;
  /** The frame that was shown last. */
  #shown = 0;
  #isDisposed = false;

  constructor({ store, fps, metadata }: Finished, surfaces: Surfaces) {
    this.fps = fps;
    this.#store = store;
    this.#metadata = metadata;
    this.#surfaces = surfaces;
  }

  get frames(): number {
    return this.#store.frames;
  }

  /** What the sticker lies on where it is shown, and in the files made from now on: `#rrggbb`. */
  get background(): string {
    return this.#metadata.background;
  }

  set background(background: string) {
    this.#metadata = { ...this.#metadata, background };
  }

  /** Draws a frame on the canvas; nothing where the next clip is seen there, or took its place. */
  async show(index: number): Promise<void> {
    if (this.#isDisposed || this.#surfaces.screen.isTaken) return;
    this.#shown = index;
    this.#draw(index);
    // A device that goes away meanwhile is told by whatever uses it next.
    await this.#surfaces.screen.show().catch(() => undefined);
  }

  /**
   * A frame with its transparency; undefined once the next clip took its place.
   * @param side pixels of the square that it is scaled to @returns straight alpha
   */
  pixels(index: number, side: number): Promise<Pixels | undefined> {
    return this.#surfaces.watched(async () => {
      const cutout = await this.#surfaces.cutout();
      return this.#isDisposed ? undefined : cutout.read(this.#store.frame(index), side);
    });
  }

  /** The frame that was shown last, as a PNG that says how it was made. */
  async still(): Promise<Blob | undefined> {
    if (this.#isDisposed) return undefined;
    const { screen, watched } = this.#surfaces;
    const pixels = await watched(() => {
      this.#draw(this.#shown);
      return screen.read();
    });
    return toPng(pixels, this.#metadata);
  }

  /**
   * The loop with its transparency, as far as that kind of file has any; undefined where the next clip takes its place meanwhile.
   * @throws FlipbookError as `pixels`
   */
  async animation(options: AnimationOptions): Promise<Blob | undefined> {
    const metadata = this.#metadata; // It may change meanwhile.
    const writer = openAnimation(options, { fps: this.fps, paper: metadata.background });
    for (let i = 0; i < this.frames; i++) {
      const frame = await this.pixels(i, options.side);
      if (!frame) return undefined;
      await writer.add(frame);
    }
    return writer.finish(metadata);
  }

  /**
   * Its video made anew, over the background that it has now. On the way every frame is shown.
   * @throws FlipbookError: 'cancelled' where the signal aborts, 'device-lost', 'out-of-memory', 'shader'
   */
  record(signal: AbortSignal, onFrame: (recorded: number) => void): Promise<Recording> {
    const { screen, drawn, watched } = this.#surfaces;
    const metadata = this.#metadata; // It may change meanwhile.
    return watched(async () => {
      const recorder = await VideoRecorder.open(screen, { fps: this.fps, metadata }, signal);
      try {
        for (let i = 0; i < this.frames; i++) {
          screen.draw(this.#store.frame(i), metadata.background);
          await recorder.add(i);
          throwIfAborted(signal);
          onFrame(i + 1);
        }
        const recording = await recorder.close();
        await drawn(); // What is captured of a lost device may be black.
        return recording;
      } finally {
        await recorder.cancel();
      }
    });
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#store.dispose();
  }

  #draw(index: number): void {
    this.#surfaces.screen.draw(this.#store.frame(index), this.background);
  }
}
