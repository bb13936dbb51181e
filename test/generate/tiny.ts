// What the pipeline's tests share: short clips of the tiny model, all events of one, its frames, and what its files show.
import { ALL_FORMATS, BlobSource, Input, VideoSampleSink } from 'mediabunny';
import type { GenerateEvent } from '../../src/events';
import { type Engine, generate } from '../../src/generate';
import type { Pixels } from '../../src/media/pixels';
import type { GenerateOptions } from '../../src/options';
import { sha256 } from '../../src/sha256';
import { toRgb } from '../media/art';

/** Random weights in narrow modules (training/export.py --tiny): what is tested here is the pipeline, not a model. */
export const modelUrl = '/test/fixtures/tiny/';
export const options: GenerateOptions = {
  prompt: 'a dancing cat',
  seed: 7,
  steps: 1,
  guidance: 4,
  frames: 8,
  sampler: 'flow-euler',
  background: '#fff8e9',
};
export const short: GenerateOptions = { ...options, frames: 4 };

export async function all(
  engine: Engine,
  given: GenerateOptions,
  { signal, picture }: { signal?: AbortSignal; picture?: Pixels | undefined } = {},
): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = [];
  for await (const event of generate(engine, given, signal, picture)) events.push(event);
  return events;
}

export function done(events: readonly GenerateEvent[]) {
  const last = events.at(-1);
  if (last?.type !== 'done') throw new Error(`the last event is ${last?.type}`);
  return last;
}

/** The name of the file that is asked for. */
export const nameOf = (input: RequestInfo | URL): string =>
  String(input instanceof Request ? input.url : input)
    .split('/')
    .at(-1) ?? '';

/** A digest of every frame of the finished clip: of its pixels alone, since a file says how it was made. */
export async function frames(engine: Engine): Promise<string[]> {
  const digests: string[] = [];
  for (let i = 0; i < (engine.clip?.frames ?? 0); i++) {
    const { data } = (await engine.clip!.pixels(i, 128))!;
    digests.push(await sha256(data.buffer));
  }
  return digests;
}

/** A frame of the finished clip, as the canvas shows it. */
export async function shown({ clip }: Engine, index: number): Promise<Pixels> {
  await clip!.show(index);
  const bitmap = await createImageBitmap((await clip!.still())!);
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d')!;
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, data: context.getImageData(0, 0, width, height).data };
}

/** RGB of every frame of an MP4. */
export async function videoFrames(video: Blob): Promise<Uint8ClampedArray[]> {
  const input = new Input({ source: new BlobSource(video), formats: ALL_FORMATS });
  const decoded: Uint8ClampedArray[] = [];
  for await (const sample of new VideoSampleSink((await input.getPrimaryVideoTrack())!).samples()) {
    const frame = sample.toVideoFrame();
    decoded.push(await toRgb(frame));
    frame.close();
    sample.close();
  }
  input.dispose();
  return decoded;
}
