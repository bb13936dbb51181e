// What a generation reports while it runs. Types only: plain data that crosses from the worker to the page.
import type { GenerateOptions } from './options';

export type GenerateEvent =
  /** Bytes of all weight files together; `total` grows where a start picture asks for more. */
  | { readonly type: 'load'; readonly loaded: number; readonly total: number }
  /** Before the first step, and only where there is something: what the model does not see of the prompt's scenes. */
  | { readonly type: 'unread'; readonly unknown: readonly string[]; readonly cut: readonly string[] }
  /** Compute pipelines. */
  | { readonly type: 'compile'; readonly done: number; readonly total: number }
  /**
   * `index` steps are done. `share` is the fraction done of all work after loading and compiling; `eta` the estimated seconds
   * left, 0 while unknown.
   */
  | {
      readonly type: 'step';
      readonly index: number;
      readonly of: number;
      readonly stage: 'picture' | 'clip';
      /** In a story, which scene's picture it is, 1-based. */
      readonly scene?: { readonly index: number; readonly of: number };
      readonly share: number;
      readonly eta: number;
    }
  /** `index` frames are decoded and encoded. `share` and `eta` as of a step. */
  | {
      readonly type: 'frame';
      readonly index: number;
      readonly of: number;
      readonly share: number;
      readonly eta: number;
    }
  | DoneEvent;

/** The video of a clip. */
export interface Recording {
  /** `null` where none could be encoded: the clip still plays. */
  readonly video: Blob | null;
  /** WebCodecs codec string of the file, such as `avc1.64001f`. */
  readonly codec: string | null;
  /** Why there is no video, and what to do about it; left out where there is one. */
  readonly problem?: { readonly message: string; readonly hint: string };
}

export interface DoneEvent extends Recording {
  readonly type: 'done';
  readonly options: GenerateOptions;
  readonly stats: GenerateStats;
}

/** Wall-clock seconds of each part, and bytes of all buffers; the canvas's own few are the browser's. */
export interface GenerateStats {
  readonly seconds: {
    readonly total: number;
    readonly load: number;
    readonly compile: number;
    readonly perStep: number;
    readonly decode: number;
    readonly encode: number;
  };
  readonly bytesInUse: number;
  /** The most while the clip was made, what the engine held before included. */
  readonly peakGpuBytes: number;
}
