// The model that is shipped (or the one in the folder VITE_MODEL_URL, as training/smoke_test.py has it) makes a clip.
// What the pipeline does around it is tested with a tiny model in generate.gpu.test.ts.
import { expect, test } from 'vitest';
import type { GenerateEvent } from '../../src/events';
import { generate, openEngine } from '../../src/generate';

const modelUrl = (import.meta.env.VITE_MODEL_URL as string | undefined) ?? '/models/sticker/';

test('it loads, and makes eight frames that are not all one colour', async () => {
  const canvas = new OffscreenCanvas(1, 1);
  const engine = await openEngine({ canvas, modelUrl });
  try {
    const options = {
      prompt: 'a dancing cat',
      seed: 7,
      steps: 1,
      guidance: 4,
      frames: 8,
      sampler: 'flow-euler',
      background: '#ffffff',
    } as const;
    let last: GenerateEvent | undefined;
    for await (const event of generate(engine, options)) last = event;
    if (last?.type !== 'done') throw new Error(`the last event is ${last?.type}`);
    expect(last.video?.size).toBeGreaterThan(1000);
    console.info(JSON.stringify(last.stats));
    engine.show(3);
    const bitmap = await createImageBitmap(await engine.still());
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    expect(new Set(new Uint32Array(data.buffer)).size).toBeGreaterThan(100);
  } finally {
    engine.dispose();
  }
}, 300_000);
