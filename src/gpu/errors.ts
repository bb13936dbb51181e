// The one error type that reaches the page: what went wrong, in plain words, and what to do about it.
// Not for programming mistakes (a wrong shape, a missing argument): those are TypeError and Error.

export type ErrorCode =
  | 'no-webgpu'
  | 'no-adapter'
  | 'limits'
  | 'out-of-memory'
  | 'device-lost'
  | 'shader'
  | 'numbers'
  | 'weights'
  | 'encoder'
  | 'cancelled'
  | 'input';

const hints: Readonly<Record<ErrorCode, string>> = {
  'no-webgpu':
    'Use a browser with WebGPU: Chrome or Edge 127 or newer, Safari 26, or Firefox 141 on Windows (145 on Apple silicon), on an https or localhost page.',
  'no-adapter':
    'Turn on hardware acceleration in the browser’s settings, update the graphics driver, or try another browser.',
  limits: 'This GPU is too small for the model. Choose fewer frames, or try another machine.',
  'out-of-memory': 'Choose fewer frames, close other tabs that use the GPU, and try again.',
  'device-lost': 'The browser took the GPU away, often after a driver reset or sleep. Press Generate again.',
  shader: 'This is a defect in Flipbook or in the graphics driver. Please report it with the text above.',
  numbers: 'Try another seed. If it happens every time, the graphics driver is at fault.',
  weights: 'Reload the page to download the model again.',
  encoder: 'This browser could not encode the video. Try Chrome or Edge, or fewer frames.',
  cancelled: 'Press Generate to start again.',
  input: 'Correct the value and try again.',
};

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(hints, code);
}

/** `message` says what was given and what was expected, `hint` what the reader can do next. */
export class FlipbookError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'FlipbookError';
    this.code = code;
    this.hint = options.hint ?? hints[code];
  }
}

/** Any thrown value in words, without a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

/** @param signal the one that was aborted, where there is one */
export function cancelled(signal?: AbortSignal): FlipbookError {
  return new FlipbookError('cancelled', 'Cancelled', { cause: signal?.reason });
}

/** @throws FlipbookError 'cancelled' once the signal is aborted */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

/** Milliseconds that a failed call waits for the news that the device is lost. */
const lossDelay = 500;

/**
 * Why a call on a device failed: the loss of the device where that is told soon after, else `cause`. Browsers may reject a
 * call's promise before they tell of the loss.
 */
export async function lossOr(lost: Promise<GPUDeviceLostInfo>, cause: unknown): Promise<unknown> {
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, lossDelay));
  const info = await Promise.race([lost, late]);
  return info ? deviceLost(info, cause) : cause;
}

/** @param cause the call that failed for it, where one did */
export function deviceLost({ message }: GPUDeviceLostInfo, cause?: unknown): FlipbookError {
  return new FlipbookError('device-lost', `The GPU device was lost${message ? `: ${message}` : ''}`, { cause });
}
