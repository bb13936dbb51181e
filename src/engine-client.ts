// The engine's worker as an `EngineClient`: one message per call, failures thrown as FlipbookError, and a new worker on a new canvas
// after one that stopped. It draws and decides nothing.
import { proxy, type Remote, transfer, wrap } from 'comlink';
import { cancelled, FlipbookError, isErrorCode } from './gpu/errors';
import { modelFolder } from './options';
import type { AdapterReport, EngineClient, EngineWorker, Failure, Reply } from './protocol';

interface Thread {
  readonly remote: Remote<EngineWorker>;
  /** Its promise, or why it stopped: a worker that dies (out of memory, a script that did not load) answers nobody. */
  orStopped<T>(promise: Promise<T>): Promise<T>;
}

/** A worker that has not stopped, as far as is known. */
interface Running extends Thread {
  /** It has its canvas and its GPU, or rejects with why not. */
  readonly attached: Promise<unknown>;
}

interface Place {
  readonly element: HTMLElement;
  readonly onAdapter: (adapter: AdapterReport | undefined) => void;
}

export function createEngineClient(): EngineClient {
  let place: Place | undefined;
  let running: Running | undefined;
  /** Why there is none. */
  let failure: unknown = new Error('attach comes first');
  let playing = true;
  /** Ends the wait for a worker that is still being opened: it hears nothing of Cancel. */
  let stopWaiting = (): void => undefined;

  const start = (): Running => {
    if (!place) throw failure;
    const { element, onAdapter } = place;
    // A new one for each worker: a canvas can be handed over only once.
    const canvas = document.createElement('canvas');
    const obstacle = obstacleTo(canvas);
    if (obstacle) throw obstacle;
    const thread = startWorker((reason) => {
      failure = reason;
      if (running?.remote !== thread.remote) return;
      running = undefined;
      onAdapter(undefined);
    });
    element.replaceChildren(canvas);
    const offscreen = canvas.transferControlToOffscreen();
    const modelUrl = new URL(modelFolder, document.baseURI).href;
    void thread.remote.setPlaying(playing);
    const attached = ask(thread, (remote) =>
      remote.attach(transfer(offscreen, [offscreen]), modelUrl, proxy(onAdapter)),
    );
    running = { ...thread, attached };
    return running;
  };

  /** For what only the worker that made the clip has. */
  const ofClip = async <T>(call: (remote: Remote<EngineWorker>) => Promise<Reply<T>>): Promise<T> => {
    if (!running) throw failure;
    return ask(running, call);
  };

  return {
    async attach(element, onAdapter) {
      place = { element, onAdapter };
      await start().attached;
    },
    async generate(options, onEvent, picture) {
      const worker = running ?? start();
      const isStopped = new Promise<never>((_resolve, reject) => {
        stopWaiting = () => reject(cancelled());
      });
      // One that could not open its GPU is asked all the same: it tries again.
      await Promise.race([worker.attached.catch(() => undefined), isStopped]);
      await ask(worker, (remote) => remote.generate(options, proxy(onEvent), picture));
    },
    record: (onFrame) => ofClip((remote) => remote.record(proxy(onFrame))),
    cancel() {
      stopWaiting();
      void running?.remote.cancel();
    },
    setPlaying(value) {
      playing = value;
      void running?.remote.setPlaying(value);
    },
    turn(by) {
      playing = false;
      return ofClip((remote) => remote.turn(by));
    },
    setBackground(background) {
      void running?.remote.setBackground(background);
    },
    still: () => ofClip((remote) => remote.still()),
    pixels: (index, side) => ofClip((remote) => remote.pixels(index, side)),
    animation: (options) => ofClip((remote) => remote.animation(options)),
  };
}

/** With a newer page on the server, the script that this one asks for may be gone. */
const notLoaded: Failure = {
  code: 'stopped',
  message: 'Its script did not load.',
  hint: 'Reload the page: there may be a newer one on the server.',
};

/** @param onStop the worker had an error that nothing caught: what it still does cannot be relied on, and it is ended */
function startWorker(onStop: (reason: Failure) => void): Thread {
  const thread = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'flipbook-engine' });
  let stopped: Failure | undefined;
  const waiting = new Set<(reason: Failure) => void>();
  thread.addEventListener('error', (event) => {
    event.preventDefault();
    thread.terminate();
    const { message } = event;
    const reason: Failure = message ? { code: 'stopped', message, hint: '' } : notLoaded;
    stopped = reason;
    onStop(reason);
    for (const reject of waiting) reject(reason);
  });
  return {
    remote: wrap<EngineWorker>(thread),
    // Not a race against one promise of its end, which would hold every answer, whole clips, for as long as it lives.
    orStopped: (promise) =>
      new Promise((resolve, reject) => {
        if (stopped) return reject(stopped);
        waiting.add(reject);
        promise.then(resolve, reject).finally(() => waiting.delete(reject));
      }),
  };
}

async function ask<T>(
  { remote, orStopped }: Thread,
  call: (remote: Remote<EngineWorker>) => Promise<Reply<T>>,
): Promise<T> {
  const reply = await orStopped(call(remote));
  if ('value' in reply) return reply.value;
  const { code, message, hint } = reply.failure;
  throw isErrorCode(code) ? new FlipbookError(code, message, { hint }) : reply.failure;
}

/** What the page itself lacks. A worker may have WebGPU where the page has none, but then the browser is in no known state. */
function obstacleTo(canvas: HTMLCanvasElement): FlipbookError | undefined {
  if (!navigator.gpu) return new FlipbookError('no-webgpu', 'navigator.gpu is missing');
  // Which of two paths a device takes depends on it: Chrome has it since 127, WebGPU since 113.
  if (!('info' in GPUAdapter.prototype)) return new FlipbookError('no-webgpu', 'GPUAdapter.info is missing');
  if ('transferControlToOffscreen' in canvas) return undefined;
  return new FlipbookError('no-webgpu', 'This browser cannot draw on a canvas from a worker');
}
