// Every module of the embedded model against PyTorch's outputs for the weights that are shipped (training/fixtures.py).
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { conditionsOf, type GivenInputs } from '../../src/engine/given';
import { Plan } from '../../src/gpu/plan';
import { type Tensor, view } from '../../src/gpu/tensor';
import { coderConfig, head, stem } from '../../src/models/decoder';
import { encoder, encoderConfig } from '../../src/models/encoder';
import { type ModelManifest, parseManifest } from '../../src/models/manifest';
import { PromptReader, textConfig, textEncoder } from '../../src/models/text';
import { conditionChannels, denoiser, denoiserConfig, promptFeatures } from '../../src/models/unet3d';
import { toFloat32 } from '../../src/weights/half';
import { readJson } from '../../src/weights/json';
import { parseSafetensors, type RawTensor } from '../../src/weights/safetensors';
import { Weights } from '../../src/weights/weights';
import { expectClose, runPlan, type TestPlan, testGpu } from '../gpu';

// Another model's folder may be given, with its goldens inside (training/smoke_test.py does).
const given = import.meta.env.VITE_MODEL_URL as string | undefined;
const folder = given ?? '/models/sticker/';
const fixtures = given ? `${given}fixtures/` : '/test/fixtures/';

interface About {
  readonly prompts: readonly string[];
  readonly denoiserSha256: string;
  readonly times: Record<string, number>;
  readonly motion: Record<string, readonly number[]>;
  readonly stemFrames: readonly number[];
}

let manifest: ModelManifest;
let about: About;
let goldens: Map<string, RawTensor>;
let weights: Record<'text' | 'denoiser' | 'decoder' | 'encoder', Weights>;
let reader: PromptReader;

async function get(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response;
}

beforeAll(async () => {
  const gpu = await testGpu();
  manifest = parseManifest(await (await get(`${folder}model.json`)).json());
  about = await (await get(`${fixtures}goldens.json`)).json();
  goldens = parseSafetensors(await (await get(`${fixtures}goldens.safetensors`)).arrayBuffer(), 'goldens');
  const open = async (name: string) =>
    Weights.open(gpu, await (await get(`${folder}${name}.safetensors`)).arrayBuffer(), name);
  const [text, denoiser, decoder, encoder] = await Promise.all(['text', 'denoiser', 'decoder', 'encoder'].map(open));
  weights = { text: text!, denoiser: denoiser!, decoder: decoder!, encoder: encoder! };
  const { file } = manifest.modules.tokenizer;
  const tokenizer = await readJson(await (await get(`${folder}${file}`)).arrayBuffer(), file);
  reader = new PromptReader(tokenizer, weights.text, textSize());
});

afterAll(() => {
  for (const file of Object.values(weights ?? {})) file.dispose();
});

function textSize() {
  return textConfig(manifest.modules.text.config);
}

function golden(name: string): Float32Array {
  const raw = goldens.get(name);
  if (!raw) throw new Error(`no golden ${name}`);
  return raw.dtype === 'I32' ? Float32Array.from(new Int32Array(raw.data.slice().buffer)) : toFloat32(raw);
}

function input(plan: TestPlan, name: string): Tensor {
  return plan.f32(goldens.get(name)!.shape, golden(name));
}

/** A clip that goes by one picture, and of which nothing is known. */
function pictureAlone(plan: TestPlan, picture: Float32Array, frames: number): GivenInputs {
  const zeros = (batch: number, channels: number) =>
    plan.f32([batch, frames, 16, 16, channels], new Float32Array(batch * frames * 256 * channels));
  const pictures = Float32Array.from({ length: frames * picture.length }, (_, i) => picture[i % picture.length]!);
  const { channels } = manifest.latents;
  return { known: zeros(2, channels), mask: zeros(1, 1), pictures: plan.f32([1, frames, 16, 16, channels], pictures) };
}

async function check(name: string, build: (plan: TestPlan) => Tensor) {
  const [actual] = await runPlan(build);
  expectClose(actual!, golden(name), 1e-3, goldens.get(name)!.shape);
}

test('the goldens are those of these weights', () => {
  expect(about.denoiserSha256).toBe(manifest.modules.denoiser.sha256);
});

test('tokens', () => {
  const expected = golden('text.tokens');
  about.prompts.forEach((prompt, i) => {
    const { ids, mask } = reader.read(prompt);
    expect(mask.reduce((a, b) => a + b)).toBe(ids.length);
    expect([...ids, ...new Array(24 - ids.length).fill(0)]).toEqual([...expected.slice(24 * i, 24 * i + 24)]);
  });
});

function promptInputs(plan: TestPlan, rows: number[]) {
  const prompts = rows.map((i) => reader.read(about.prompts[i]!));
  const { length, table } = textSize();
  return {
    rows: plan.f32(
      [rows.length, length, table],
      prompts.flatMap((p) => [...p.rows]),
    ),
    mask: plan.f32(
      [rows.length, length],
      prompts.flatMap((p) => [...p.mask]),
    ),
  };
}

test('text encoder', async () => {
  const [context, pooled] = await runPlan((plan) => {
    const { rows, mask } = promptInputs(plan, [0, 1, 2]);
    const out = textEncoder(plan, rows, mask, weights.text, textSize());
    return [out.context, out.pooled];
  });
  expectClose(context!, golden('text.context'), 1e-3);
  expectClose(pooled!, golden('text.pooled'), 1e-3);
});

/** Of each denoiser golden, which prompts. */
const promptsOf = { picture: [0, 1], clip9: [2], clip3: [1] } as const;

async function checkDenoiser(name: keyof typeof promptsOf): Promise<void> {
  const prompts = promptsOf[name];
  const config = denoiserConfig(manifest.modules.denoiser.config);
  await check(`${name}.output`, (plan) => {
    const { rows, mask } = promptInputs(plan, [...prompts]);
    const { context, pooled } = textEncoder(plan, rows, mask, weights.text, textSize());
    const motion = plan.f32([prompts.length, 2], about.motion[name]!);
    const x = input(plan, `${name}.x`);
    const prompt = promptFeatures(plan, { context, pooled, mask, motion }, weights.denoiser, config, x.shape[1]!);
    const conditions =
      name === 'picture'
        ? plan.f32([2, 1, 16, 16, conditionChannels(config)], new Float32Array(2 * 256 * conditionChannels(config)))
        : name === 'clip9'
          ? conditionsOf(plan, pictureAlone(plan, golden('clip9.picture'), 9))
          : input(plan, 'clip3.conditions');
    const t = plan.f32(
      [prompts.length],
      prompts.map(() => about.times[name]!),
    );
    return denoiser(plan, { x, t, conditions, prompt }, weights.denoiser, config);
  });
}

async function checkDecoder(): Promise<void> {
  const config = coderConfig(manifest.modules.decoder.config);
  const frame = 16 * 16 * 128;
  const [first, sixth, rgba] = await runPlan((plan) => {
    const features = stem(plan, input(plan, 'stem.z'), weights.decoder.scope('stem'), config);
    const frames = about.stemFrames.map((i) => view(features, [1, 1, 16, 16, 128], i * frame));
    plan.keep(features);
    return [...frames, head(plan, frames[0]!, weights.decoder.scope('head'), config)];
  });
  expectClose([...first!, ...sixth!], golden('stem.output'), 1e-3);
  expectClose(rgba!, golden('head.output'), 1e-3);
}

test.each(['picture', 'clip9', 'clip3'] as const)('denoiser %s', checkDenoiser);
test('decoder stem and head', checkDecoder);

describe('with the kernels that a GPU gets, whatever is there', () => {
  const isTiled = (kernels: readonly string[]) => kernels.filter((label) => label.includes(' tiled '));
  let isSoftware: boolean;

  beforeAll(async () => {
    const gpu = await testGpu();
    ({ isSoftware } = gpu);
    Object.assign(gpu, { isSoftware: false });
  });
  afterAll(async () => void Object.assign(await testGpu(), { isSoftware }));

  test.each<[string, () => Promise<void>]>([
    ['denoiser picture', () => checkDenoiser('picture')],
    ['denoiser clip3', () => checkDenoiser('clip3')],
    ['decoder stem and head', checkDecoder],
  ])('%s', async (_name, run) => {
    const call = vi.spyOn(Plan.prototype, 'call');
    await run();
    expect(isTiled(call.mock.calls.map(([{ label }]) => label))).not.toEqual([]);
    call.mockRestore();
  });
});

test('encoder', async () => {
  const bytes = Float32Array.from({ length: 8 * 128 * 128 * 4 }, (_, i) => (Math.imul(i, 2654435761) >>> 24) / 255);
  await check('encoder.output', (plan) =>
    encoder(plan, plan.f32([1, 8, 128, 128, 4], bytes), weights, encoderConfig(manifest.modules.encoder!.config)),
  );
});
