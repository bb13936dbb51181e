// A start picture on its way to latents: a still as a loop of equal frames, normalised; its weights come when they are needed.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PictureEncoder } from '../../src/engine/encoding';
import { type EncoderPart, type LoadedModel, loadEncoder, loadModel } from '../../src/engine/model';
import { type Pixels, premultiplied } from '../../src/media/pixels';
import { encoder } from '../../src/models/encoder';
import { expectClose, readTensor, runPlan, testGpu } from '../gpu';

const source = { modelUrl: '/test/fixtures/tiny/' };
const { signal } = new AbortController();
const side = 128;

let model: LoadedModel;
let part: EncoderPart;

beforeAll(async () => {
  model = await loadModel(await testGpu(), source, signal, () => {});
  part = await loadEncoder(model, source, signal, () => {});
});

afterAll(() => {
  part?.weights.dispose();
  model?.dispose();
});

/** Half transparent at the left, opaque at the right. */
function picture(): Pixels {
  const data = new Uint8ClampedArray(side * side * 4);
  for (let i = 0; i < side * side; i++) data.set([i % 251, (i * 7) % 256, 90, i % side < 64 ? 128 : 255], 4 * i);
  return { width: side, height: side, data };
}

test('its latents are those of a loop of four equal frames, less the mean, over the deviation', async () => {
  const before = model.gpu.bytesInUse;
  const made = new PictureEncoder(model, part);
  await made.compile(signal, () => () => {});
  await made.run(picture(), signal);
  const latents = await readTensor(model.gpu, made.latents);
  made.dispose();
  const frame = premultiplied(picture());
  const [z] = await runPlan((plan) => {
    const loop = Array.from({ length: 4 }, () => [...frame]).flat();
    const weights = { encoder: part.weights, decoder: model.decoder.weights };
    return encoder(plan, plan.f32([1, 4, side, side, 4], loop), weights, part.config);
  });
  const { mean, std, channels } = model.manifest.latents;
  expectClose(
    latents,
    z!.map((value, i) => (value - mean[i % channels]!) / std[i % channels]!),
    1e-3,
  );
  // Weights stay.
  expect(model.gpu.bytesInUse - before).toBeLessThan(1e6);
});

test('a picture of another size is refused in words', async () => {
  const made = new PictureEncoder(model, part);
  await made.compile(signal, () => () => {});
  const small = { width: 2, height: 1, data: new Uint8ClampedArray(8) };
  await expect(made.run(small, signal)).rejects.toMatchObject({ code: 'input', message: expect.stringMatching('2×1') });
  made.dispose();
});

test('a model without an encoder says that it cannot start from a picture', async () => {
  const { encoder: _encoder, ...modules } = model.manifest.modules;
  const without = { ...model, manifest: { ...model.manifest, modules } };
  await expect(loadEncoder(without, source, signal, () => {})).rejects.toMatchObject({
    code: 'input',
    message: 'The model tiny cannot start from a picture.',
  });
});

test('one that was never compiled frees what it had recorded', () => {
  const before = model.gpu.bytesInUse;
  new PictureEncoder(model, part).dispose();
  expect(model.gpu.bytesInUse).toBe(before);
});
