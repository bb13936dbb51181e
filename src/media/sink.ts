// Where finished frames go: the one contract of whatever makes files of them, and the timing of frames.
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
 * When frame `index` starts and how long it lasts, in whole units. Each boundary is rounded by itself, so that rounding never adds
 * up: frame 36 of a clip at 12 fps starts at exactly 3 s.
 * @param units in a second
 */
export function span(index: number, fps: number, units: number): { readonly start: number; readonly length: number } {
  const boundary = (i: number) => Math.round((i * units) / fps);
  return { start: boundary(index), length: boundary(index + 1) - boundary(index) };
}

export function frameTiming(index: number, fps: number): FrameTiming {
  const { start, length } = span(index, fps, 1e6);
  return { timestamp: start, duration: length };
}
