// What the pipeline's tests share: short clips of the tiny model, all events of one, and the frames that the canvas shows.
import type { GenerateEvent } from '../../src/events';
import { type Engine, generate } from '../../src/generate';
import type { Pixels } from '../../src/media/pixels';
import type { GenerateOptions } from '../../src/options';

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

/** A digest of every frame of the finished clip, as the canvas shows it. */
export async function frames(engine: Engine): Promise<string[]> {
  const digests: string[] = [];
  for (let i = 0; i < (engine.clip?.frames ?? 0); i++) {
    await engine.clip!.show(i);
    const png = await engine.clip!.still();
    digests.push(new Uint8Array(await crypto.subtle.digest('SHA-256', await png!.arrayBuffer())).join());
  }
  return digests;
}
