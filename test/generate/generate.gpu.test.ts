// The whole pipeline in a real browser: options in, events, frames on a canvas and an MP4 out. Small and few steps, because
// the tests' adapter computes in software.
import { ALL_FORMATS, BlobSource, Input } from 'mediabunny';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GenerateEvent } from '../../src/events';
import { type Engine, generate, openEngine } from '../../src/generate';
import type { GenerateOptions } from '../../src/options';

// Another model's folder may be given (training/smoke_test.py does).
const modelUrl = (import.meta.env.VITE_MODEL_URL as string | undefined) ?? '/models/sticker/';
const options: GenerateOptions = {
  prompt: 'a dancing cat',
  seed: 7,
  steps: 1,
  guidance: 4,
  frames: 8,
  sampler: 'flow-euler',
  background: '#fff8e9',
};

let engine: Engine;
const canvas = new OffscreenCanvas(1, 1);

beforeAll(async () => {
  engine = await openEngine({ canvas, modelUrl });
});

afterAll(() => engine?.dispose());

async function all(given: GenerateOptions, signal?: AbortSignal): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = [];
  for await (const event of generate(engine, given, signal)) events.push(event);
  return events;
}

function done(events: readonly GenerateEvent[]) {
  const last = events.at(-1);
  if (last?.type !== 'done') throw new Error(`the last event is ${last?.type}`);
  return last;
}

test('a clip: events in order, a video of the right length', async () => {
  const events = await all(options);
  const types = events.map(({ type }) => type).filter((type, i, list) => type !== list[i - 1]);
  expect(types).toEqual(['load', 'compile', 'step', 'frame', 'done']);
  expect(events.filter(({ type }) => type === 'step')).toMatchObject([
    { stage: 'picture', index: 1, of: 1 },
    { stage: 'clip', index: 1, of: 1 },
  ]);
  expect(events.filter(({ type }) => type === 'frame')).toHaveLength(8);
  const { video, codec, stats } = done(events);
  console.log(codec, video?.size, JSON.stringify(stats));
  const input = new Input({ source: new BlobSource(video!), formats: ALL_FORMATS });
  expect(await input.computeDuration()).toBeCloseTo(8 / 12, 3);
  const track = (await input.getPrimaryVideoTrack())!;
  expect([track.displayWidth, track.displayHeight]).toEqual([512, 512]);
  expect((await track.computePacketStats()).packetCount).toBe(8);
  expect(engine.clip).toEqual({ frames: 8, fps: 12 });
});
