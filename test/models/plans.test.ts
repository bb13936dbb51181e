// The embedded networks recorded without a GPU: what they cost, and that a weight of another shape is refused in words.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Plan } from '../../src/gpu/plan';
import { virtualTensor } from '../../src/gpu/tensor';
import { readCounts } from '../../src/models/blocks';
import { coderConfig, head, stem } from '../../src/models/decoder';
import { parseManifest } from '../../src/models/manifest';
import { conditionChannels, denoiser, denoiserConfig, promptFeatures } from '../../src/models/unet3d';
import { Weights } from '../../src/weights/weights';

const folder = new URL('../../public/models/sticker/', import.meta.url);
const read = (file: string) => new Uint8Array(readFileSync(new URL(file, folder))).buffer;
const manifest = parseManifest(JSON.parse(readFileSync(new URL('model.json', folder), 'utf8')));

function recordDenoiser(
  batch: number,
  frames: number,
  config = denoiserConfig(manifest.modules.denoiser.config),
): Plan {
  const plan = new Plan(null, 'denoiser');
  const weights = Weights.open(null, read('denoiser.safetensors'), 'denoiser.safetensors');
  const mask = virtualTensor([batch, 24]);
  const [context, pooled, motion] = [
    [batch, 24, 192],
    [batch, 192],
    [batch, 2],
  ].map((shape) => plan.alloc(shape));
  // What another program would have written.
  const virtual = {
    context: virtualTensor(context!.shape),
    pooled: virtualTensor(pooled!.shape),
    motion: virtualTensor(motion!.shape),
  };
  const prompt = promptFeatures(plan, { ...virtual, mask }, weights, config, frames);
  const x = virtualTensor([batch, frames, 16, 16, config.latent]);
  const conditions = virtualTensor([batch, frames, 16, 16, conditionChannels(config)]);
  const output = denoiser(plan, { x, t: virtualTensor([batch]), conditions, prompt }, weights, config);
  expect(output.shape).toEqual(x.shape);
  return plan;
}

test('a step of a 36-frame clip takes at most 8 GFLOP and 16 MB of activations', () => {
  const { flops, arenaBytes, activationBytes } = recordDenoiser(1, 9).stats;
  expect(flops).toBeGreaterThan(6e9);
  expect(flops).toBeLessThan(8e9);
  expect(arenaBytes).toBeLessThan(16e6);
  expect(arenaBytes).toBeLessThan(activationBytes / 4);
});

test('a step of the longest clip costs what its frames cost, in 64 MB of activations', () => {
  const { frames } = manifest.limits;
  const latentFrames = frames.max / manifest.latents.timeFactor;
  const [usual, longest] = [recordDenoiser(1, 9).stats, recordDenoiser(1, latentFrames).stats];
  // Temporal attention grows faster than the rest, and is a small part.
  expect(longest.flops / usual.flops).toBeGreaterThan(latentFrames / 9);
  expect(longest.flops / usual.flops).toBeLessThan((1.1 * latentFrames) / 9);
  expect(longest.arenaBytes).toBeLessThan(64e6);
});

test('a picture skips the temporal layers', () => {
  expect(recordDenoiser(1, 1).stats.dispatches).toBeLessThan(recordDenoiser(1, 2).stats.dispatches);
});

test('the decoder makes four frames of 128 × 128 from a latent frame', () => {
  const config = coderConfig(manifest.modules.decoder.config);
  const weights = Weights.open(null, read('decoder.safetensors'), 'decoder.safetensors');
  const plan = new Plan(null, 'decoder');
  const features = stem(plan, virtualTensor([1, 3, 16, 16, manifest.latents.channels]), weights.scope('stem'), config);
  expect(features.shape).toEqual([1, 12, 16, 16, manifest.modules.decoder.config.high]);
  expect(head(plan, features, weights.scope('head'), config).shape).toEqual([1, 12, 128, 128, 4]);
});

test('a configuration that does not fit the weights is refused in words', () => {
  const config = denoiserConfig(manifest.modules.denoiser.config);
  expect(() => recordDenoiser(1, 1, { ...config, width: 128 })).toThrow(
    'position is F16 [64,256] in the file, expected F16 or F32 [64,128]',
  );
  expect(() => recordDenoiser(1, 1, { ...config, blocks: 9 })).toThrow('blocks.5.cross.kv.weight');
  expect(() => readCounts({ low: 0, high: 'x' }, 'decoder', 'low', 'high')).toThrow('low, high');
});
