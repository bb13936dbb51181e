// What the page and the engine's worker say to each other; each method is one message over comlink. It sends none itself.
import type { GenerateEvent, Recording } from './events';
import { type ErrorCode, isErrorCode } from './gpu/errors';
import type { AnimationOptions } from './media/animation';
import type { Pixels } from './media/pixels';
import type { GenerateOptions } from './options';

export type { AnimationKind } from './media/animation';

/** The GPU at hand, as far as a visitor needs to know it. */
export interface AdapterReport {
  readonly name: string;
  /** A software renderer: right, but slow. */
  readonly isSoftware: boolean;
}

/**
 * What goes wrong outside of the engine. 'gone': another clip took the place of the one that something was to be made of;
 * 'stopped': the worker came to an end; 'unknown': an error that no one foresaw.
 */
const ownCodes = ['gone', 'stopped', 'unknown'] as const;

export type FailureCode = ErrorCode | (typeof ownCodes)[number];

export function isFailureCode(code: unknown): code is FailureCode {
  return isErrorCode(code) || ownCodes.some((own) => own === code);
}

/** A FlipbookError as plain data: `message` says what happened, `hint` what to do; empty where nobody knows. */
export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
  readonly hint: string;
}

/** Any thrown value as plain data: a FlipbookError, or a Failure itself, keeps its code, all else is 'unknown'. */
export function failureOf(error: unknown): Failure {
  const { code, message, hint } = (typeof error === 'object' && error !== null ? error : {}) as Partial<Failure>;
  return {
    code: isFailureCode(code) ? code : 'unknown',
    message: typeof message === 'string' && message !== '' ? message : inWords(error),
    hint: typeof hint === 'string' ? hint : '',
  };
}

/** Not every value can be made a string: `[{ toString: 1 }]` throws. */
function inWords(error: unknown): string {
  try {
    return String(error);
  } catch {
    return 'Something was thrown that says nothing.';
  }
}

export type Reply<T> = { readonly value: T } | { readonly failure: Failure };

/** Implemented by worker.ts. Nothing is thrown across: a failure is a value. */
export interface EngineWorker {
  /**
   * Once, first: the canvas that shows previews, then the loop, and the model's folder. Opens the GPU.
   * @param onAdapter is told of the GPU, and again whenever one was opened anew; `undefined`: it was lost, and with it the
   * finished clip's frames
   */
  attach(
    canvas: OffscreenCanvas,
    modelUrl: string,
    onAdapter: (adapter: AdapterReport | undefined) => void | Promise<void>,
  ): Promise<Reply<null>>;
  /**
   * One at a time. Resolves after `onEvent` has dealt with `done`, or with a failure; `cancelled` after `cancel`.
   * `picture` is the one that `options.picture` names.
   */
  generate(
    options: GenerateOptions,
    onEvent: (event: GenerateEvent) => void | Promise<void>,
    picture?: Pixels,
  ): Promise<Reply<null>>;
  /** The finished clip's video made anew, over the background that it has now. Not beside `generate`. */
  record(onFrame: (recorded: number) => void | Promise<void>): Promise<Reply<Recording>>;
  /** Ends `generate` or `record`. */
  cancel(): void;
  /** Whether the finished clip moves. */
  setPlaying(playing: boolean): void;
  /**
   * Pauses the finished clip and shows the frame that is so many further on, or back, in its loop; 0 only pauses.
   * @returns its number, from 0. Beside `generate` or `record`, which may have the canvas then, that of the frame that comes back
   */
  turn(by: number): Promise<Reply<number>>;
  /** What the finished clip lies on from now on: `#rrggbb`. */
  setBackground(background: string): void;
  /** The frame shown now, as a PNG. */
  still(): Promise<Reply<Blob>>;
  /** A frame of the finished clip with its transparency, scaled to a square. */
  pixels(index: number, side: number): Promise<Reply<Pixels>>;
  /** The finished clip as a loop with its transparency; the edges of a GIF are drawn on the background that it has now. */
  animation(options: AnimationOptions): Promise<Reply<Blob>>;
}

/** The engine as the page sees it: failures are thrown, as `FlipbookError` or as plain `Failure`. */
export interface EngineClient {
  /** Puts its canvas into the element, which has nothing else in it. `onAdapter` as the worker's, also when that stopped. */
  attach(element: HTMLElement, onAdapter: (adapter: AdapterReport | undefined) => void): Promise<void>;
  generate(options: GenerateOptions, onEvent: (event: GenerateEvent) => void, picture?: Pixels): Promise<void>;
  record(onFrame: (recorded: number) => void): Promise<Recording>;
  cancel(): void;
  setPlaying(playing: boolean): void;
  turn(by: number): Promise<number>;
  setBackground(background: string): void;
  still(): Promise<Blob>;
  pixels(index: number, side: number): Promise<Pixels>;
  animation(options: AnimationOptions): Promise<Blob>;
}
