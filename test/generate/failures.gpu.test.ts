// The pipeline on damaged files and a lost device: words, never a frame.
import { expect, test } from 'vitest';
import { type Engine, generate, openEngine } from '../../src/generate';
import { sha256 } from '../../src/sha256';
import { all, done, modelUrl, nameOf, short } from './tiny';

/** An engine that is given these files in place of the model's own. */
async function withFiles(files: Readonly<Record<string, BodyInit>>): Promise<Engine> {
  const replaced: typeof fetch = async (input, init) => {
    const file = files[nameOf(input)];
    return file === undefined ? fetch(input, { ...init, cache: 'no-store' }) : new Response(file);
  };
  return openEngine({ modelUrl, fetch: replaced });
}

async function failure(other: Engine): Promise<unknown> {
  try {
    for await (const _event of generate(other, short));
    throw new Error('it did not fail');
  } catch (error) {
    return error;
  } finally {
    other.dispose();
  }
}

test('a weight that is no number gives an error, never a frame', async () => {
  const file = await (await fetch(`${modelUrl}denoiser.safetensors`)).arrayBuffer();
  const header = Number(new DataView(file).getBigUint64(0, true));
  new Uint8Array(file).fill(0x7e, 8 + header); // 0x7e7e is a NaN in fp16
  const manifest = await (await fetch(`${modelUrl}model.json`)).json();
  manifest.modules.denoiser.sha256 = await sha256(file);
  const other = await withFiles({ 'denoiser.safetensors': file, 'model.json': JSON.stringify(manifest) });
  const error = await failure(other);
  expect(error).toMatchObject({ code: 'shader' });
  expect(String(error)).toContain('not a number');
});

test('a manifest of something else is refused', async () => {
  const other = await withFiles({ 'model.json': '{}' });
  expect(await failure(other)).toMatchObject({ code: 'weights' });
});

test('a lost device ends the clip in words; a new engine on the same canvas goes on', async () => {
  const canvas = new OffscreenCanvas(1, 1);
  let engine = await openEngine({ canvas, modelUrl });
  const running = (async () => {
    for await (const event of generate(engine, short)) if (event.type === 'step') engine.gpu.device.destroy();
  })();
  await expect(running).rejects.toMatchObject({ code: 'device-lost' });
  engine.dispose();
  engine = await openEngine({ canvas, modelUrl });
  expect(done(await all(engine, short)).video).not.toBeNull();
  engine.dispose();
});
