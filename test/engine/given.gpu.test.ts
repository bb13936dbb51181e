// What a stage is given: the pictures its frames go by, and what is known, which is kept to the last bit, looked at, and forgotten
// when it is cleared.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { samplerTable } from '../../src/diffusion/samplers';
import { createProcess } from '../../src/diffusion/schedule';
import { conditionsOf, Given, maskOutside } from '../../src/engine/given';
import { type LoadedModel, loadModel } from '../../src/engine/model';
import { Stage } from '../../src/engine/stage';
import { persist } from '../../src/engine/tensors';
import { Plan } from '../../src/gpu/plan';
import type { Tensor } from '../../src/gpu/tensor';
import { randomValues, readTensor, testGpu } from '../gpu';

const { signal } = new AbortController();
const cells = 16 * 16;
const channels = 40; // of the small model's latents
const conditioned = 2 * channels + 4;
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

/** Latents of a picture that was never drawn. */
function picture(seed: number): { values: Float32Array; latents: Tensor } {
  const values = Float32Array.from(randomValues(cells * channels, seed));
  return { values, latents: model.gpu.upload(values, [1, 1, 16, 16, channels], 'f32', 'test') };
}

const read = (tensor: Tensor) => readTensor(model.gpu, tensor);

async function draw(keeps: Tensor | undefined, sampler: 'flow-euler' | 'ddpm' = 'flow-euler'): Promise<Float32Array> {
  const { manifest, text } = model;
  const [prompt, empty] = [text.reader.read('a cat'), text.reader.read('')];
  const process = createProcess(manifest.process);
  const table = samplerTable({ sampler, process, prediction: manifest.prediction, steps: 3 });
  stage.given.clear();
  if (keeps) stage.given.keep(keeps, 0, mask);
  await stage.start({ prompt, empty, guidance: 3, seed: 1, stream: 0, table }, signal);
  for (let i = 0; i < 3; i++) await stage.step(i, signal);
  return read(stage.latents);
}

test('the mask is 0 in the box, row by row', () => {
  const small = maskOutside({ left: 1, top: 0, width: 2, height: 2 }, [3, 4]);
  expect([...small]).toEqual([1, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1]);
  expect(mask.filter((value) => value === 0)).toHaveLength(32);
});

test.each([1, 5])(
  'of %d frames, the denoiser is told what is known and where, and the picture of each',
  async (frames) => {
    const plan = new Plan(model.gpu, 'given');
    const given = new Given(model.gpu, plan, frames, [16, 16], channels);
    const conditions = persist(plan, conditionsOf(plan, given), 'conditions');
    const program = await plan.compile();
    const [one, other] = [picture(1), picture(2)];
    const last = frames - 1;
    const shown = frames === 1 ? [] : [0, 2, last];

    /** What a place of a frame is told, from the definition. */
    const expected = (frame: number, cell: number, isCleared: boolean): number[] => {
      const at = (values: Float32Array) => [...values.subarray(channels * cell, channels * (cell + 1))];
      const isKnown = !isCleared && (frame === last ? mask[cell] === 1 : frame === 0);
      const known = !isKnown ? new Array(channels).fill(0) : at(frame === last ? one.values : other.values);
      const image = !isCleared && shown.includes(frame) ? at(one.values) : new Array(channels).fill(0);
      const flags = frames === 1 ? [0, 0, 0] : [frame === 0 ? 1 : 0, 1, 1];
      return [...known, isKnown ? 1 : 0, ...image, ...flags];
    };
    const check = async (isCleared: boolean) => {
      await program.submit();
      const told = await read(conditions);
      const held = await read(given.known);
      for (let i = 0; i < frames * cells; i++) {
        const row = expected(Math.floor(i / cells), i % cells, isCleared);
        expect([...told.subarray(conditioned * i, conditioned * (i + 1))]).toEqual(row);
        expect([...held.subarray(channels * i, channels * (i + 1))]).toEqual(row.slice(0, channels));
        const counts = held.subarray(channels * (frames * cells + i), channels * (frames * cells + i + 1));
        expect([...counts]).toEqual(new Array(channels).fill(row[channels]));
      }
    };
    given.show(one.latents, shown);
    if (frames > 1) given.keep(other.latents, 0);
    given.keep(one.latents, last, mask);
    await check(false);
    given.clear();
    await check(true);
    program.dispose();
    for (const { latents } of [one, other]) model.gpu.free(latents);
  },
);

test.each(['flow-euler', 'ddpm'] as const)(
  '%s ends on what was given, and draws the rest to go with it',
  async (sampler) => {
    const alone = await draw(undefined, sampler);
    const [one, other] = [picture(2), picture(3)];
    const drawn = await draw(one.latents, sampler);
    const besides = await draw(other.latents, sampler);
    const inside = (values: Float32Array) => values.filter((_value, i) => mask[Math.floor(i / channels)] === 0);
    const outside = (values: Float32Array) => values.filter((_value, i) => mask[Math.floor(i / channels)] === 1);
    expect(outside(drawn)).toEqual(outside(one.values));
    expect(inside(drawn)).not.toEqual(inside(one.values));
    expect(inside(drawn)).not.toEqual(inside(besides));
    // The same stage draws the same from the prompt alone, before and after.
    expect(await draw(undefined, sampler)).toEqual(alone);
    for (const { latents } of [one, other]) model.gpu.free(latents);
  },
);
