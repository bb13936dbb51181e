// The model that is shipped (or the one in the folder VITE_MODEL_URL, as training/smoke_test.py has it) makes a clip.
// What the pipeline does around it is tested with a tiny model in generate.gpu.test.ts.
import { expect, test } from 'vitest';
import { openEngine } from '../../src/generate';
import { all, done, options } from './tiny';

const modelUrl = (import.meta.env.VITE_MODEL_URL as string | undefined) ?? '/models/sticker/';

test('it loads, and makes eight frames that are not all one colour', async () => {
  const engine = await openEngine({ canvas: new OffscreenCanvas(1, 1), modelUrl });
  try {
    const { video, stats } = done(await all(engine, options));
    expect(video?.size).toBeGreaterThan(1000);
    console.info(JSON.stringify(stats));
    const { data } = (await engine.clip!.pixels(3, 128))!;
    expect(new Set(new Uint32Array(data.buffer)).size).toBeGreaterThan(100);
  } finally {
    engine.dispose();
  }
}, 300_000);
