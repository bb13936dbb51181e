// One stage's noise and arithmetic: what x_T is, and what each step makes of the latents. Not what the denoiser says, which
// generate/sampling.gpu.test.ts compares with PyTorch.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SamplerTable, samplerTable } from '../../src/diffusion/samplers';
import { createProcess } from '../../src/diffusion/schedule';
import { type LoadedModel, loadModel } from '../../src/engine/model';
import { Stage } from '../../src/engine/stage';
import { sizeOf, type Tensor } from '../../src/gpu/tensor';
import type { SamplerName } from '../../src/sampler-names';
import { expectClose, readTensor, testGpu } from '../gpu';
import { gaussianNoise } from '../reference/philox';

const { signal } = new AbortController();
const seed = 2 ** 40 + 5; // of both words of the key
const stream = 30;

let model: LoadedModel;
let stage: Stage;
let count: number;

beforeAll(async () => {
  model = await loadModel(await testGpu(), { modelUrl: '/test/fixtures/tiny/' }, signal, () => {});
  stage = new Stage(model, { frames: 2, guided: false });
  await stage.compile(signal, () => () => {});
  stage.given.clear();
  count = sizeOf(stage.latents.shape);
});

afterAll(() => {
  stage?.dispose();
  model?.dispose();
});

const read = (tensor: Tensor) => readTensor(model.gpu, tensor);

function tableOf(sampler: SamplerName): SamplerTable {
  const { process, prediction } = model.manifest;
  return samplerTable({ sampler, process: createProcess(process), prediction, steps: 5 });
}

function start(table: SamplerTable): Promise<void> {
  const { reader } = model.text;
  const [prompt, empty] = [reader.read('a cat'), reader.read('')];
  return stage.start({ prompt, empty, guidance: 1, seed, stream, table }, signal);
}

test('begins with the noise of its seed and stream, as strong as the table says, whatever was there before', async () => {
  const noise = gaussianNoise(count, seed, stream);
  for (const initialScale of [1, 1.7]) {
    await start({ ...tableOf('ddpm'), initialScale });
    expectClose(
      await read(stage.latents),
      noise.map((value) => initialScale * value),
      1e-5,
    );
    expect((await read(stage.denoised)).every((value) => value === 0)).toBe(true);
    await stage.step(0, signal);
  }
});

test.each(['ddpm', 'lcm', 'dpmpp-2m'] as const)(
  '%s: each step is a·x + b·x̂0 + c·previous + d·noise',
  async (sampler) => {
    const table = tableOf(sampler);
    // Both have their turn: what was predicted before, or fresh noise.
    expect(table.steps.some(({ c, d }) => c !== 0 || d !== 0)).toBe(true);
    await start(table);
    for (const [i, { a, b, c, d }] of table.steps.entries()) {
      const [x, previous] = [await read(stage.latents), await read(stage.denoised)];
      await stage.step(i, signal);
      const x0 = await read(stage.denoised);
      const noise = gaussianNoise(count, seed, stream + 1 + i);
      const expected = x.map((value, k) => a * value + b * x0[k]! + c * previous[k]! + d * noise[k]!);
      expectClose(await read(stage.latents), expected, 1e-5);
    }
  },
);
