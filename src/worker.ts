// The engine's worker: one engine on one OffscreenCanvas, driven by messages. It shows the finished clip in a loop and, after
// a lost device, opens a new one. The pipeline itself is generate.ts.
import { expose } from 'comlink';
import { type Engine, generate, openEngine } from './generate';
import { cancelled, FlipbookError } from './gpu/errors';
import { CanvasTaken } from './media/canvas';
import { LoopPlayer } from './media/player';
import { modelTitle } from './options';
import { type EngineWorker, type Failure, failureOf, type Reply } from './protocol';

interface Place {
  readonly canvas: OffscreenCanvas;
  readonly modelUrl: string;
  readonly onAdapter: Parameters<EngineWorker['attach']>[2];
}

type FinishedClip = NonNullable<Engine['clip']>;

let place: Place | undefined;
let opening: Promise<Engine> | undefined;
let engine: Engine | undefined;
let player: LoopPlayer | undefined;
/** Where its loop was stopped to make room on the canvas. */
let stoppedAt = 0;
let playing = true;
let running: AbortController | undefined;

expose({
  attach: (canvas, modelUrl, onAdapter) =>
    answer(async () => {
      place = { canvas, modelUrl, onAdapter };
      await opened();
      return null;
    }),

  generate: (options, onEvent, picture) =>
    alone(async (signal) => {
      // Events go through a port of their own, and the answer to this call may overtake them: it is given when all have arrived.
      // They are not waited for one by one, which would hold back the clip, and Cancel with it.
      let told: Promise<unknown> = Promise.resolve();
      try {
        const current = await Promise.race([opened(), aborted(signal)]);
        for await (const event of generate(current, options, signal, picture)) {
          // The last clip keeps moving until there is something new to see.
          if (event.type === 'step') stopLoop();
          if (event.type === 'done') startLoop(current);
          told = Promise.all([told, onEvent(event)]);
        }
      } catch (error) {
        // What was finished before is shown again, where it is still in memory.
        if (engine && !player) startLoop(engine, stoppedAt);
        throw error;
      } finally {
        await told;
      }
      return null;
    }),

  record: (onFrame) =>
    alone(async (signal) => {
      const current = engine;
      if (!current?.clip) throw framesLost();
      stopLoop();
      try {
        return await current.clip.record(signal, (recorded) => void onFrame(recorded));
      } finally {
        if (engine === current) startLoop(current, stoppedAt);
      }
    }),

  cancel() {
    running?.abort();
  },

  setPlaying(value) {
    playing = value;
    if (value) player?.play();
    else player?.pause();
  },

  turn(by) {
    playing = false;
    return ofClip(async () => {
      player?.turn(by);
      return player?.index ?? stoppedAt;
    });
  },

  setBackground(background) {
    const clip = engine?.clip;
    if (!clip || clip.background === background) return;
    clip.background = background;
    player?.redraw();
  },

  still: () => ofClip((clip) => clip.still()),
  pixels: (index, side) => ofClip((clip) => clip.pixels(index, side)),
  animation: (options) => ofClip((clip) => clip.animation(options)),
} satisfies EngineWorker);

/** @param make undefined where the clip's frames went away meanwhile: with the device, or for the next clip */
function ofClip<T>(make: (clip: FinishedClip) => Promise<T | undefined>): Promise<Reply<T>> {
  return answer(async () => {
    const made = engine?.clip && (await make(engine.clip));
    if (made !== undefined) return made;
    throw engine?.clip ? gone : framesLost();
  });
}

const gone: Failure = {
  code: 'gone',
  message: 'Another clip was finished first, and took the place of the one that this was to be made of.',
  hint: 'It is among the earlier clips: its settings draw it again.',
};

function framesLost(): FlipbookError {
  return new FlipbookError('device-lost', 'The frames of the clip are gone', {
    hint: 'Its MP4, if it has one, can still be downloaded. Generating with the same settings draws the same clip again.',
  });
}

/** The engine, opened once; again after its device was lost, or after opening it failed. */
function opened(): Promise<Engine> {
  opening ??= open().catch((error) => {
    opening = undefined;
    throw error;
  });
  return opening;
}

async function open(): Promise<Engine> {
  if (!place) throw new Error('attach comes first');
  const current = await openEngine({ ...place, title: modelTitle }).catch((error) => {
    if (!(error instanceof CanvasTaken)) throw error;
    // On the new adapter frames take another path, for which the canvas would have to be new, and only a new worker gets one.
    // An error that nothing catches ends this worker: the page then starts another.
    setTimeout(() => {
      throw error;
    });
    return new Promise<never>(() => undefined);
  });
  engine = current;
  void current.gpu.lost.then(() => {
    if (engine !== current) return;
    stopLoop();
    engine = undefined;
    opening = undefined;
    current.dispose();
    void tellAdapter(undefined);
  });
  await tellAdapter({ name: current.adapterName, isSoftware: current.gpu.isSoftware });
  return current;
}

/** A page that cannot take the news has an engine all the same. */
async function tellAdapter(report: Parameters<Place['onAdapter']>[0]): Promise<void> {
  try {
    await place?.onAdapter(report);
  } catch (error) {
    console.error(error);
  }
}

function startLoop(current: Engine, from = 0): void {
  stopLoop();
  const { clip } = current;
  if (!clip) return;
  const { frames, fps } = clip;
  player = new LoopPlayer({ frames, fps, from, draw: (index) => clip.show(index) });
  if (playing) player.play();
}

function stopLoop(): void {
  if (!player) return;
  player.pause();
  stoppedAt = player.index;
  player = undefined;
}

/** Rejects when the signal is aborted: opening takes seconds, and does not look at it. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(cancelled(signal)), { once: true });
  });
}

/** What takes the canvas for itself, and can be cancelled. */
function alone<T>(act: (signal: AbortSignal) => Promise<T>): Promise<Reply<T>> {
  return answer(async () => {
    if (running)
      throw new FlipbookError('input', 'A clip is already in the making', { hint: 'Wait for it, or cancel it.' });
    running = new AbortController();
    try {
      return await act(running.signal);
    } finally {
      running = undefined;
    }
  });
}

/** Nothing is thrown across: comlink would keep only the words of an error. */
async function answer<T>(act: () => Promise<T>): Promise<Reply<T>> {
  try {
    return { value: await act() };
  } catch (error) {
    const failure = failureOf(error);
    if (failure.code === 'unknown') console.error(error);
    return { failure };
  }
}
