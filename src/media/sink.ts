// Where finished frames go: the one contract of encoders, previews and collectors, and the timing of frames.
// It encodes and draws nothing itself.

/**
 * Takes frames in display order: `await add(frame)` for each, then `close`; or `cancel`, at any moment.
 *
 * @example
 * for (const image of images) await sink.add(new VideoFrame(image, frameTiming(index++, 12)));
 * const result = await sink.close();
 */
export interface FrameSink<Result = unknown> {
  /**
   * Awaiting it is backpressure. The frame belongs to the sink from here on, which closes it on every path, failures
   * included. Timestamps and durations are in microseconds; the first timestamp is 0.
   */
  add(frame: VideoFrame): Promise<void>;
  /** Finishes what was added. Rejects with the first failure, also one that came after its `add` had resolved. */
  close(): Promise<Result>;
  /** Frees everything and drops what was added. Never rejects; may be called more than once, and after a failure. */
  cancel(): Promise<void>;
}

/** Microseconds, as in WebCodecs. */
export interface FrameTiming {
  readonly timestamp: number;
  readonly duration: number;
}

/**
 * When frame `index` starts and how long it lasts. Each boundary is rounded by itself, so that rounding never adds up:
 * frame 36 of a clip at 12 fps starts at exactly 3 s.
 */
export function frameTiming(index: number, fps: number): FrameTiming {
  const boundary = (i: number) => Math.round((i * 1e6) / fps);
  return { timestamp: boundary(index), duration: boundary(index + 1) - boundary(index) };
}

/** One sink that feeds several, as fast as the slowest. If one fails, all are cancelled and its error is thrown. */
export function tee(sinks: readonly FrameSink[]): FrameSink<unknown[]> {
  const cancel = async () => {
    await Promise.all(sinks.map((sink) => sink.cancel()));
  };
  const all = async <T>(results: readonly Promise<T>[]): Promise<T[]> => {
    const settled = await Promise.allSettled(results);
    const failed = settled.find((result) => result.status === 'rejected');
    if (failed) {
      await cancel();
      throw failed.reason;
    }
    return settled.map((result) => (result as PromiseFulfilledResult<T>).value);
  };
  return {
    async add(frame) {
      const clones = sinks.map(() => frame.clone());
      frame.close();
      await all(sinks.map((sink, i) => sink.add(clones[i]!)));
    },
    close: () => all(sinks.map((sink) => sink.close())),
    cancel,
  };
}
