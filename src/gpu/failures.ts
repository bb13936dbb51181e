// What goes wrong with a device: its loss, and what it refuses, which nobody is told of by the call itself. Not allocations:
// those are Memory's.
import { deviceLost, FlipbookError, lossOr } from './errors';
import { nudged } from './nudge';

export class Failures {
  readonly #device: GPUDevice;
  /** Rejects whoever waits for the device, when it is lost. */
  readonly #waiting = new Set<(error: FlipbookError) => void>();
  #first: FlipbookError | undefined;
  #isLossMeant = false;

  constructor(device: GPUDevice) {
    this.#device = device;
    void device.lost.then((info) => {
      const error = deviceLost(info);
      if (!this.#isLossMeant) this.#first = error;
      for (const reject of this.#waiting) reject(error);
      this.#waiting.clear();
    });
    device.addEventListener('uncapturederror', ({ error }) => this.#refuse(error));
  }

  /** The first since `clear`; the loss of the device before all others. */
  get first(): FlipbookError | undefined {
    return this.#first;
  }

  get isLost(): boolean {
    return this.#first?.code === 'device-lost';
  }

  /** Forgets what was refused. A lost device stays lost. */
  clear(): void {
    if (!this.isLost) this.#first = undefined;
  }

  /** The device is about to be destroyed, on purpose. */
  ignoreLoss(): void {
    this.#isLossMeant = true;
  }

  /**
   * Takes note of what is refused of these calls, which must not wait in between. Firefox tells of one uncaptured error a device,
   * and of no other after that; it tells of each in a scope.
   */
  watched<T>(use: () => T): T {
    this.#device.pushErrorScope('validation');
    try {
      return use();
    } finally {
      void this.#device.popErrorScope().then(
        (error) => error && this.#refuse(error),
        () => undefined, // The device is lost, which is told elsewhere.
      );
    }
  }

  /** What the device promised; rejects with 'device-lost' where it was lost before, whatever became of the promise. */
  orLost<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        this.#waiting.delete(reject);
        finish();
      };
      this.#waiting.add(reject);
      nudged(this.#device.queue, promise).then(
        // Some browsers keep their promises on loss.
        (value) => settle(() => (this.isLost ? reject(this.#first) : resolve(value))),
        (cause) => lossOr(this.#device.lost, cause).then((reason) => settle(() => reject(this.#first ?? reason))),
      );
    });
  }

  /** A validation error would otherwise leave a black clip: it stops the next submit instead. */
  #refuse(error: GPUError): void {
    this.#first ??=
      error instanceof GPUOutOfMemoryError
        ? new FlipbookError('out-of-memory', `The GPU ran out of memory: ${error.message}`)
        : new FlipbookError('shader', `The GPU refused a command: ${error.message}`);
  }
}
