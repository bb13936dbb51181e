// The page's programs as the bench counts them, recorded without a GPU from the shipped model: which there are, how often they
// run, and how far the arena reaches.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { countPrograms } from '../../src/bench/model/programs';
import { coderConfig } from '../../src/models/decoder';
import { parseManifest } from '../../src/models/manifest';
import { textConfig } from '../../src/models/text';
import { denoiserConfig } from '../../src/models/unet3d';
import { Weights } from '../../src/weights/weights';

const folder = new URL('../../public/models/sticker/', import.meta.url);
const shipped = parseManifest(JSON.parse(readFileSync(new URL('model.json', folder), 'utf8')));
const { modules } = shipped;
const open = (file: string) => Weights.open(null, new Uint8Array(readFileSync(new URL(file, folder))).buffer, file);
const counted = (defaults: Partial<typeof shipped.defaults> = {}) =>
  countPrograms({
    manifest: { ...shipped, defaults: { ...shipped.defaults, ...defaults } },
    text: { weights: open(modules.text.file), config: textConfig(modules.text.config) },
    denoiser: { weights: open(modules.denoiser.file), config: denoiserConfig(modules.denoiser.config) },
    decoder: { weights: open(modules.decoder.file), config: coderConfig(modules.decoder.config) },
  });
const of = (plans: ReturnType<typeof counted>, name: string) => plans.find((plan) => plan.name.startsWith(name))!;

test('steps are as many as the model says, with a preview after each, and frames are decoded in chunks', () => {
  const plans = counted({ steps: 6, pictureSteps: 10, frames: 24 });
  expect(of(plans, 'picture step').runs).toBe(10);
  expect(of(plans, 'clip step of 24 frames').runs).toBe(6);
  expect(of(plans, 'preview').runs).toBe(16);
  expect(of(plans, "decoder's head, 4 frames").runs).toBe(6);
});

test('guidance doubles a step of the picture, and of nothing else', () => {
  const [plain, guided] = [counted({ guidance: 1 }), counted({ guidance: 3 })];
  const ratio = (name: string) => of(guided, name).flops / of(plain, name).flops;
  expect(ratio('picture step')).toBeGreaterThan(1.9);
  expect(ratio('picture step')).toBeLessThan(2.1);
  expect(ratio('clip step')).toBe(1);
});

test('the arena is a small part of all activations, and little more than what is alive at once', () => {
  for (const { name, arenaBytes, activationBytes, liveBytes } of counted().filter(({ part }) => part !== 'prompt')) {
    expect(arenaBytes, name).toBeGreaterThanOrEqual(liveBytes);
    expect(arenaBytes, name).toBeLessThan(1.5 * liveBytes);
    expect(arenaBytes, name).toBeLessThan(0.6 * activationBytes);
  }
  const step = of(counted(), 'clip step');
  expect(step.arenaBytes).toBeLessThan(step.activationBytes / 8);
});

test('decoding in chunks does the work of decoding at once, in a fraction of its memory', () => {
  const plans = counted();
  const [stem, head, whole] = [of(plans, "decoder's stem"), of(plans, "decoder's head"), of(plans, 'decoder in one')];
  expect((stem.flops + head.runs * head.flops) / whole.flops).toBeCloseTo(1, 3);
  expect(Math.max(stem.arenaBytes, head.arenaBytes)).toBeLessThan(whole.arenaBytes / 2);
});
