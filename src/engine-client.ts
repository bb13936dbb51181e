// The engine's worker as an `Engine`: one message per call, failures thrown as FlipbookError. It draws and decides nothing.
import { proxy, type Remote, transfer, wrap } from 'comlink';
import { type ErrorCode, FlipbookError } from './gpu/errors';
import type { Engine, EngineWorker, Reply } from './protocol';

export function createEngine(): Engine {
  let worker: { readonly remote: Remote<EngineWorker>; readonly crashed: Promise<never> } | undefined;
  /** Why there will be no worker: said again whenever one is asked for. */
  let unavailable: FlipbookError | undefined;

  /** A worker that dies without an answer (out of memory, a script that did not load) must not leave the page waiting. */
  const ask = async <T>(call: (remote: Remote<EngineWorker>) => Promise<Reply<T>>): Promise<T> => {
    if (!worker) throw unavailable ?? new Error('attach comes first');
    const reply = await Promise.race([call(worker.remote), worker.crashed]);
    if ('value' in reply) return reply.value;
    const { code, message, hint } = reply.failure;
    throw new FlipbookError(code as ErrorCode, message, { hint });
  };

  return {
    async attach(canvas) {
      unavailable = obstacle(canvas);
      if (unavailable) throw unavailable;
      const thread = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'flipbook-engine' });
      const crashed = new Promise<never>((_resolve, reject) => {
        thread.addEventListener('error', (event) => {
          event.preventDefault();
          const hint = 'Reload the page. Your settings are kept.';
          reject(
            new FlipbookError('device-lost', `The engine stopped: ${event.message || 'its script did not load'}`, {
              hint,
            }),
          );
        });
      });
      crashed.catch(() => undefined); // It is looked at only while somebody waits.
      worker = { remote: wrap<EngineWorker>(thread), crashed };
      const modelUrl = new URL('models/sticker/', document.baseURI).href;
      const offscreen = canvas.transferControlToOffscreen();
      return ask((remote) => remote.attach(transfer(offscreen, [offscreen]), modelUrl));
    },
    async generate(options, onEvent, picture) {
      await ask((remote) => remote.generate(options, proxy(onEvent), picture));
    },
    cancel() {
      void worker?.remote.cancel();
    },
    setPlaying(playing) {
      void worker?.remote.setPlaying(playing);
    },
    still: () => ask((remote) => remote.still()),
    pixels: (index, side) => ask((remote) => remote.pixels(index, side)),
    animation: (side) => ask((remote) => remote.animation(side)),
  };
}

/** What the page itself lacks. A worker may have WebGPU where the page has none, but then the browser is in no known state. */
function obstacle(canvas: HTMLCanvasElement): FlipbookError | undefined {
  if (!navigator.gpu) return new FlipbookError('no-webgpu', 'navigator.gpu is missing');
  if ('transferControlToOffscreen' in canvas) return undefined;
  return new FlipbookError('no-webgpu', 'This browser cannot draw on a canvas from a worker');
}
