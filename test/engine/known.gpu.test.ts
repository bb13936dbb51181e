// What a picture keeps while a part of it is drawn anew: kept to the last bit, looked at, and forgotten by the next picture.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { samplerTable } from '../../src/diffusion/samplers';
import { createProcess } from '../../src/diffusion/schedule';
import { type KnownInputs, type KnownPart, maskOutside, setKnown } from '../../src/engine/known';
import { type LoadedModel, loadModel } from '../../src/engine/model';
import { Stage } from '../../src/engine/stage';
import type { Tensor } from '../../src/gpu/tensor';
import { randomValues, testGpu } from '../gpu';

const { signal } = new AbortController();
const cells = 16 * 16;
const box = { left: 3, top: 5, width: 8, height: 4 };
const mask = maskOutside(box, [16, 16]);

let model: LoadedModel;
let stage: Stage;

beforeAll(async () => {
  model = await loadModel(await testGpu(), { modelUrl: '/test/fixtures/tiny/' }, signal, () => {});
  stage = new Stage(model, { frames: 1, guided: true });
  await stage.compile(signal, () => () => {});
});

afterAll(() => {
  stage?.dispose();
  model?.dispose();
});

function tensor(channels: number, batch = 1): Tensor {
  return model.gpu.empty([batch, 1, 16, 16, channels], 'f32', 'test');
}

/** Latents of a picture that was never drawn. */
function given(seed: number): { values: Float32Array; known: KnownPart } {
  const values = Float32Array.from(randomValues(cells * 12, seed));
  const latents = tensor(12);
  model.gpu.write(latents, values);
  return { values, known: { latents, mask } };
}

async function read({ storage, shape }: Tensor): Promise<Float32Array> {
  if (storage.kind !== 'buffer') throw new Error('no buffer');
  const bytes = 4 * shape.reduce((size, extent) => size * extent, 1);
  return new Float32Array(await model.gpu.readBuffer(storage.buffer, storage.offset, bytes));
}

async function draw(
  known: KnownPart | undefined,
  sampler: 'flow-euler' | 'ddpm' = 'flow-euler',
): Promise<Float32Array> {
  const { manifest, text } = model;
  const [prompt, empty] = [text.reader.read('a cat'), text.reader.read('')];
  const process = createProcess(manifest.process);
  const table = samplerTable({ sampler, process, prediction: manifest.prediction, steps: 3 });
  await stage.start({ prompt, empty, guidance: 3, seed: 1, stream: 0, table, ...(known && { known }) }, signal);
  for (let i = 0; i < 3; i++) await stage.step(i, signal);
  return read(stage.latents);
}

test('the mask is 0 in the box, row by row', () => {
  const small = maskOutside({ left: 1, top: 0, width: 2, height: 2 }, [3, 4]);
  expect([...small]).toEqual([1, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1]);
  expect(mask.filter((value) => value === 0)).toHaveLength(32);
});

test('the denoiser is told what is known and where, in both rows, and nothing else', async () => {
  const inputs: KnownInputs = { conditions: tensor(28, 2), known: tensor(12, 2) };
  const { values, known } = given(1);
  setKnown(model.gpu, inputs, known);
  const conditions = await read(inputs.conditions);
  const held = await read(inputs.known);
  for (let i = 0; i < 2 * cells; i++) {
    const cell = i % cells;
    const row = [...conditions.subarray(28 * i, 28 * (i + 1))];
    const latents = mask[cell] ? [...values.subarray(12 * cell, 12 * (cell + 1))] : new Array(12).fill(0);
    expect(row).toEqual([...latents, mask[cell], ...new Array(15).fill(0)]);
    const half = i < cells ? latents : new Array(12).fill(mask[cell]);
    expect([...held.subarray(12 * i, 12 * (i + 1))]).toEqual(half);
  }
  setKnown(model.gpu, inputs, undefined);
  for (const cleared of Object.values(inputs)) expect((await read(cleared)).every((value) => value === 0)).toBe(true);
  for (const used of [...Object.values(inputs), known.latents]) model.gpu.free(used);
});

test.each(['flow-euler', 'ddpm'] as const)(
  '%s ends on what was given, and draws the rest to go with it',
  async (sampler) => {
    const alone = await draw(undefined, sampler);
    const [one, other] = [given(2), given(3)];
    const drawn = await draw(one.known, sampler);
    const besides = await draw(other.known, sampler);
    const inside = (values: Float32Array) => values.filter((_value, i) => mask[Math.floor(i / 12)] === 0);
    const outside = (values: Float32Array) => values.filter((_value, i) => mask[Math.floor(i / 12)] === 1);
    expect(outside(drawn)).toEqual(outside(one.values));
    expect(inside(drawn)).not.toEqual(inside(one.values));
    expect(inside(drawn)).not.toEqual(inside(besides));
    // The same stage draws the same from the prompt alone, before and after.
    expect(await draw(undefined, sampler)).toEqual(alone);
    for (const { known } of [one, other]) model.gpu.free(known.latents);
  },
);
