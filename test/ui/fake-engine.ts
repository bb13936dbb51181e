// An engine for tests of the page: answers as told and draws a test card with its frame number, never anything that could be
// taken for a clip. Lives only here.
import type { GenerateEvent } from '../../src/events';
import type { Pixels } from '../../src/media/pixels';
import type { GenerateOptions } from '../../src/options';
import type { AdapterReport, EngineClient } from '../../src/protocol';

export interface FakeEngine extends EngineClient {
  readonly asked: GenerateOptions[];
  /** The start picture of each. */
  readonly pictures: (Pixels | undefined)[];
  readonly log: string[];
  /** A GPU was opened, or lost. */
  open(adapter: AdapterReport | undefined): void;
  /** Sends an event of the generation under way. */
  send(event: GenerateEvent): void;
  /** Sends news of the recording, in time or late. */
  ink(recorded: number): void;
  /** Ends it: with an error, or well. */
  end(error?: unknown): void;
}

export function fakeEngine({
  attachError,
  isSoftware = true,
}: {
  attachError?: unknown;
  isSoftware?: boolean;
} = {}): FakeEngine {
  let emit: ((event: GenerateEvent) => void) | undefined;
  let inked: ((recorded: number) => void) | undefined;
  let settle: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  let opened: ((adapter: AdapterReport | undefined) => void) | undefined;
  let context: CanvasRenderingContext2D | null = null;
  let page = 0;
  const asked: GenerateOptions[] = [];
  const pictures: FakeEngine['pictures'] = [];
  const log: string[] = [];
  const card = (text: string) => {
    if (!context) return;
    context.fillStyle = '#8aa';
    context.fillRect(0, 0, 512, 512);
    context.fillStyle = '#123';
    context.font = '40px monospace';
    context.fillText(`TEST CARD ${text}`, 40, 260);
  };
  return {
    asked,
    pictures,
    log,
    async attach(element, onAdapter) {
      opened = onAdapter;
      if (attachError) throw attachError;
      const canvas = Object.assign(document.createElement('canvas'), { width: 512, height: 512 });
      element.replaceChildren(canvas);
      context = canvas.getContext('2d');
      onAdapter({ name: 'Test adapter', isSoftware });
    },
    generate(options, onEvent, picture) {
      asked.push(options);
      pictures.push(picture);
      emit = onEvent;
      return new Promise<void>((resolve, reject) => {
        settle = { resolve, reject };
      });
    },
    open(adapter) {
      opened?.(adapter);
    },
    send(event) {
      card(event.type);
      if (event.type === 'done') page = 0;
      emit?.(event);
    },
    ink(recorded) {
      inked?.(recorded);
    },
    end(error) {
      if (error) settle?.reject(error);
      else settle?.resolve();
    },
    record(onFrame) {
      log.push('record');
      inked = onFrame;
      onFrame(1);
      return new Promise((resolve, reject) => {
        settle = { resolve: () => resolve({ video: new Blob(['again']), codec: 'avc1.64001f' }), reject };
      });
    },
    cancel() {
      log.push('cancel');
      settle?.reject({ code: 'cancelled', message: 'Cancelled', hint: '' });
    },
    setPlaying(playing) {
      log.push(`playing ${playing}`);
    },
    async turn(by) {
      log.push(`turn ${by}`);
      const { frames } = asked.at(-1)!;
      page = (page + by + frames) % frames;
      card(`page ${page + 1}`);
      return page;
    },
    setBackground(background) {
      log.push(`background ${background}`);
    },
    async still() {
      return new Blob(['png'], { type: 'image/png' });
    },
    async pixels(index, side) {
      log.push(`pixels ${index} ${side}`);
      return { width: side, height: side, data: new Uint8ClampedArray(side * side * 4).fill(200) };
    },
    async animation({ kind, side }) {
      log.push(`animation ${kind} ${side}`);
      return new Blob([kind], { type: kind === 'gif' ? 'image/gif' : 'image/png' });
    },
  };
}
