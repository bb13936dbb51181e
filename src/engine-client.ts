// The engine's worker as an `Engine`: one message per call, failures thrown as FlipbookError. It draws and decides nothing.
import { proxy, type Remote, transfer, wrap } from 'comlink';
import { type ErrorCode, FlipbookError } from './gpu/errors';
import type { Engine, EngineWorker, Reply } from './protocol';

export function createEngine(): Engine {
  let worker: { readonly remote: Remote<EngineWorker>; readonly crashed: Promise<never> } | undefined;

  /** A worker that dies without an answer (out of memory, a script that did not load) must not leave the page waiting. */
  const ask = async <T>(call: (remote: Remote<EngineWorker>) => Promise<Reply<T>>): Promise<T> => {
    if (!worker) throw new FlipbookError('no-adapter', 'The engine is not running', { hint: 'Reload the page.' });
    const reply = await Promise.race([call(worker.remote), worker.crashed]);
    if ('value' in reply) return reply.value;
    const { code, message, hint } = reply.failure;
    throw new FlipbookError(code as ErrorCode, message, { hint });
  };

  return {
    async attach(canvas) {
      // Before anything is started: a worker may have WebGPU where the page does not, but then the page's advice would be wrong.
      if (!navigator.gpu) throw new FlipbookError('no-webgpu', 'navigator.gpu is missing');
      if (!('transferControlToOffscreen' in canvas)) {
        throw new FlipbookError('no-webgpu', 'This browser cannot draw on a canvas from a worker');
      }
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
    async generate(options, onEvent) {
      await ask((remote) => remote.generate(options, proxy(onEvent)));
    },
    cancel() {
      void worker?.remote.cancel();
    },
    setPlaying(playing) {
      void worker?.remote.setPlaying(playing);
    },
    still: () => ask((remote) => remote.still()),
    async forget() {
      await ask((remote) => remote.forget());
    },
  };
}
