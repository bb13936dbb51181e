// Both sampling stages from given noise, against PyTorch's result for the same weights: text encoder, conditions, guidance,
// denoiser and sampler together (training/fixtures.py, `sample`).
import { afterAll, beforeAll, expect, test } from 'vitest';
import { samplerTable } from '../../src/diffusion/samplers';
import { createProcess } from '../../src/diffusion/schedule';
import { type LoadedModel, loadModel } from '../../src/engine/model';
import { Stage, type StageShape } from '../../src/engine/stage';
import type { Tensor } from '../../src/gpu/tensor';
import { toFloat32 } from '../../src/weights/half';
import { parseSafetensors, type RawTensor } from '../../src/weights/safetensors';
import { expectClose, readTensor, testGpu } from '../gpu';

const given = import.meta.env.VITE_MODEL_URL as string | undefined;
const modelUrl = given ?? '/models/sticker/';
const fixtures = given ? `${given}fixtures/` : '/test/fixtures/';
const { signal } = new AbortController();

let model: LoadedModel;
let goldens: Map<string, RawTensor>;
let about: { prompts: string[]; steps: number; guidance: number };

beforeAll(async () => {
  model = await loadModel(await testGpu(), { modelUrl }, signal, () => {});
  about = await (await fetch(`${fixtures}goldens.json`)).json();
  goldens = parseSafetensors(await (await fetch(`${fixtures}goldens.safetensors`)).arrayBuffer(), 'goldens');
});

afterAll(() => model?.dispose());

function golden(name: string): Float32Array {
  return toFloat32(goldens.get(name)!);
}

async function sample(shape: StageShape, noise: Float32Array, picture?: Tensor): Promise<Stage> {
  const stage = new Stage(model, shape);
  await stage.compile(signal, () => () => {});
  const { manifest } = model;
  const table = samplerTable({
    sampler: 'flow-euler',
    process: createProcess(manifest.process),
    prediction: manifest.prediction,
    steps: about.steps,
  });
  const { reader } = model.text;
  const [prompt, empty] = [reader.read(about.prompts[1]!), reader.read('')];
  const start = { prompt, empty, guidance: about.guidance, seed: 0, stream: 0, table };
  stage.given.clear();
  if (picture)
    stage.given.show(
      picture,
      Array.from({ length: shape.frames }, (_, i) => i),
    );
  await stage.start(start, signal);
  model.gpu.write(stage.latents, noise);
  for (let i = 0; i < about.steps; i++) await stage.step(i, signal);
  return stage;
}

const read = (tensor: Tensor) => readTensor(model.gpu, tensor);

test('a guided picture, then the clip that starts from it', async () => {
  const before = model.gpu.bytesInUse;
  const picture = await sample({ frames: 1, guided: true }, golden('sample.picture_noise'));
  expectClose(await read(picture.latents), golden('sample.picture'), 1e-3);
  // The last step ends on x̂0 exactly.
  expect(await read(picture.denoised)).toEqual(await read(picture.latents));
  await picture.checkFinite();

  const clip = await sample({ frames: 3, guided: false }, golden('sample.clip_noise'), picture.latents);
  expectClose(await read(clip.latents), golden('sample.clip'), 1e-3);
  model.gpu.write(clip.latents, golden('sample.clip').fill(Number.NaN, 5, 7));
  await expect(clip.checkFinite()).rejects.toThrow(`2 of ${golden('sample.clip').length}`);
  picture.dispose();
  clip.dispose();
  // Weights stay: they are uploaded when they are first used, a byte of the file as at most two.
  const { text, denoiser } = model.manifest.modules;
  expect(model.gpu.bytesInUse - before).toBeLessThan(2 * (text.bytes + denoiser.bytes));
});
