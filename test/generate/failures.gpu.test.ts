// The pipeline on damaged files and a lost device: words, never a frame.
import { expect, test } from 'vitest';
import { type Engine, generate, openEngine } from '../../src/generate';
import { all, done, modelUrl, nameOf, short } from './tiny';

/** An engine whose files pass through `change`. */
async function damaged(
  change: (name: string, data: ArrayBuffer) => ArrayBuffer | Promise<ArrayBuffer>,
): Promise<Engine> {
  const changed: typeof fetch = async (input, init) => {
    const response = await fetch(input, { ...init, cache: 'no-store' });
    return new Response(await change(nameOf(input), await response.arrayBuffer()));
  };
  return openEngine({ modelUrl, fetch: changed });
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
  let data: ArrayBuffer;
  const other = await damaged(async (name, original) => {
    const patched = original.slice(0);
    if (name === 'denoiser.safetensors') {
      const header = Number(new DataView(patched).getBigUint64(0, true));
      new Uint8Array(patched, 8 + header).fill(0x7e); // 0x7e7e is a NaN in fp16
      data = patched;
    }
    if (name !== 'model.json') return patched;
    const response = await fetch(`${modelUrl}denoiser.safetensors`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const header = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    bytes.fill(0x7e, 8 + header);
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    const manifest = JSON.parse(new TextDecoder().decode(original));
    manifest.modules.denoiser.sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return new TextEncoder().encode(JSON.stringify(manifest)).buffer as ArrayBuffer;
  });
  const error = await failure(other);
  expect(error).toMatchObject({ code: 'shader' });
  expect(String(error)).toContain('not a number');
  expect(data!).toBeDefined();
});

test('a manifest of something else is refused', async () => {
  const other = await damaged((name, data) =>
    name === 'model.json' ? (new TextEncoder().encode('{}').buffer as ArrayBuffer) : data,
  );
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
