// Shows the frames of a clip in an endless loop, on time. It draws nothing itself and keeps no frames.

/** Where time comes from; tests bring their own. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Calls back about once per display refresh. Returns a function that takes the request back. */
  request(callback: () => void): () => void;
}

export interface LoopOptions {
  /** At least 1. */
  readonly frames: number;
  readonly fps: number;
  /** The frame to begin with: 0 unless given. */
  readonly from?: number;
  /**
   * Shows one frame. Called only when the frame to show changes, and not before the last call's promise is settled: where
   * drawing is slower than the clip, frames are skipped, and none queue up. The promise must not reject.
   */
  readonly draw: (index: number) => Promise<void> | void;
  readonly clock?: Clock;
}

/**
 * Plays frames 0 … frames − 1 and 0 again. The frame follows from the time since the start, so a late callback skips
 * frames and the speed never drifts, and the last frame lasts as long as any other: a looping clip stays seamless.
 */
export class LoopPlayer {
  readonly #options: LoopOptions;
  readonly #clock: Clock;
  /** Clock time at which frame 0 of the first round was or would have been due. */
  #start = 0;
  #index: number;
  #shown = -1;
  #isDrawing = false;
  #takeBack: (() => void) | null = null;

  /** Shows its first frame and waits for `play`. */
  constructor(options: LoopOptions) {
    if (!Number.isInteger(options.frames) || options.frames < 1) {
      throw new TypeError(`frames is ${options.frames}, expected a whole number from 1`);
    }
    if (!(options.fps > 0)) throw new TypeError(`fps is ${options.fps}, expected a number above 0`);
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
    this.#index = options.from ?? 0;
    this.#show();
  }

  /** The frame that is shown, or will be as soon as the one before it is drawn. */
  get index(): number {
    return this.#index;
  }

  /** Goes on from the current frame. */
  play(): void {
    if (this.#takeBack) return;
    this.#start = this.#clock.now() - this.#index * this.#period;
    this.#tick();
  }

  /** Stays at the frame that is shown. */
  pause(): void {
    if (!this.#takeBack) return;
    this.#takeBack();
    this.#takeBack = null;
    if (this.#shown >= 0) this.#index = this.#shown; // Where drawing is slow, time has gone on without it.
  }

  /** Pauses, and shows the frame that is so many further on, or back, in the loop. */
  turn(by: number): void {
    this.pause();
    const { frames } = this.#options;
    this.#index = (((this.#index + by) % frames) + frames) % frames;
    this.#show();
  }

  /** Shows the current frame again, because it looks otherwise now. */
  redraw(): void {
    this.#shown = -1;
    this.#show();
  }

  get #period(): number {
    return 1000 / this.#options.fps;
  }

  #tick(): void {
    const elapsed = Math.max(0, this.#clock.now() - this.#start) / this.#period;
    // A hair early counts as on time: k · period / period may come out below k.
    this.#index = Math.floor(elapsed + 1e-6) % this.#options.frames;
    this.#takeBack = this.#clock.request(() => this.#tick());
    this.#show();
  }

  #show(): void {
    if (this.#shown === this.#index || this.#isDrawing) return;
    this.#shown = this.#index;
    const drawn = this.#options.draw(this.#index);
    if (!drawn) return;
    this.#isDrawing = true;
    void drawn.finally(() => {
      this.#isDrawing = false;
      const isPaused = this.#takeBack === null;
      if (this.#shown < 0 || isPaused) this.#show(); // It was to be redrawn, or turned, meanwhile.
    });
  }
}

/** Animation frames where there are any (pages, and dedicated workers of most browsers), else a timer. */
export function systemClock(): Clock {
  const now = () => performance.now();
  if (typeof requestAnimationFrame === 'function') {
    return {
      now,
      request(callback) {
        const handle = requestAnimationFrame(callback);
        return () => cancelAnimationFrame(handle);
      },
    };
  }
  return {
    now,
    request(callback) {
      const handle = setTimeout(callback, 1000 / 60);
      return () => clearTimeout(handle);
    },
  };
}
