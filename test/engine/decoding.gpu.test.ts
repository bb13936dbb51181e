// Latents to frames a few at a time: the same as stem and head over all of them at once. Not how good they look.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FrameStore, HeadDecoder, PreviewDecoder, StemDecoder } from '../../src/engine/decoding';
import { type LoadedModel, loadModel } from '../../src/engine/model';
import { denormalise, head, stem } from '../../src/models/decoder';
import { expectClose, randomValues, readTensor, runPlan, testGpu } from '../gpu';

const { signal } = new AbortController();
const latentFrames = 3;
const frames = 4 * latentFrames;
const size = 128 * 128 * 4; // of a frame

let model: LoadedModel;
let values: Float32Array;
/** Latents of each of the three. */
const latent = (i: number) =>
  values.subarray((i * values.length) / latentFrames, ((i + 1) * values.length) / latentFrames);

beforeAll(async () => {
  model = await loadModel(await testGpu(), { modelUrl: '/test/fixtures/tiny/' }, signal, () => {});
  values = randomValues(latentFrames * 16 * 16 * model.manifest.latents.channels, 5);
});

afterAll(() => model?.dispose());

/** All frames of a loop in one go. */
async function atOnce(latents: Float32Array): Promise<Float32Array> {
  const { manifest, decoder } = model;
  const { channels, mean, std } = manifest.latents;
  const [rgba] = await runPlan((plan) => {
    const z = plan.f32([1, latents.length / (16 * 16 * channels), 16, 16, channels], latents);
    const features = stem(plan, denormalise(plan, z, mean, std), decoder.weights.scope('stem'), decoder.config);
    return head(plan, features, decoder.weights.scope('head'), decoder.config);
  });
  return rgba!;
}

function upload() {
  const { channels } = model.manifest.latents;
  return model.gpu.upload(values, [1, latentFrames, 16, 16, channels], 'f32', 'test');
}

test('every frame of a loop is in its place when it is told of', async () => {
  const { gpu } = model;
  const stemDecoder = new StemDecoder(model, latentFrames);
  const headDecoder = new HeadDecoder(model, stemDecoder.features);
  for (const program of [stemDecoder, headDecoder]) await program.compile(signal, () => () => {});
  const store = new FrameStore(gpu, headDecoder, frames);
  const latents = upload();
  const expected = await atOnce(values);
  const told: number[] = [];
  for await (const index of store.decode(stemDecoder, headDecoder, latents, signal)) {
    told.push(index);
    const frame = store.frame(index);
    expect(frame.index).toBe(index);
    const held = (await readTensor(gpu, frame.tensor)).subarray(index * size, (index + 1) * size);
    expectClose(held, expected.subarray(index * size, (index + 1) * size), 1e-3);
  }
  expect(told).toEqual(Array.from({ length: frames }, (_, i) => i));
  const held = await readTensor(gpu, store.frame(0).tensor);
  expectClose(held, expected, 1e-3);
  for (const made of [stemDecoder, headDecoder, store]) made.dispose();
  gpu.free(latents);
});

test('a preview is the first frame of the latent frame that is asked for, as a loop of its own', async () => {
  const preview = new PreviewDecoder(model);
  await preview.compile(signal, () => () => {});
  const latents = upload();
  for (const i of [2, 0]) {
    const { tensor, index } = await preview.decode(latents, i, signal);
    expect(index).toBe(0);
    expectClose(await readTensor(model.gpu, tensor), (await atOnce(latent(i))).subarray(0, size), 1e-3);
  }
  preview.dispose();
  model.gpu.free(latents);
});
