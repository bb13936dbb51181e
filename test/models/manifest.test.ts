// The validator of model.json: accepts what the exporter writes, and names every mistake with its path.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import { type ModelManifest, parseManifest } from '../../src/models/manifest';

const file = (name: string) => ({ config: {}, file: name, bytes: 1234, sha256: 'ab'.repeat(32) });

const good: ModelManifest = {
  format: 1,
  name: 'sticker',
  version: '0.1.0',
  licence: 'MIT',
  description: 'A small model.',
  provenance: ['@lobehub/fluent-emoji-anim-1 1.0.0 (MIT)'],
  modules: {
    text: { ...file('text.safetensors'), config: { width: 64, layers: 2 } },
    denoiser: { ...file('denoiser.safetensors'), config: { widths: [128, 256], heads: 4 } },
    decoder: file('decoder.safetensors'),
    tokenizer: file('tokenizer.json'),
  },
  latents: { channels: 2, timeFactor: 4, spaceFactor: 8, size: [16, 16], mean: [0, 0.5], std: [1, 2] },
  process: { schedule: 'flow', shift: 1 },
  prediction: 'flow',
  capabilities: ['text', 'loop', 'alpha'],
  limits: { frames: { min: 4, max: 144, multipleOf: 4 }, promptCharacters: 500 },
  defaults: { steps: 16, guidance: 4, frames: 36, sampler: 'flow-euler', clipGuidance: 1.5, fps: 12 },
};

/** A deep copy of `good` with the value at a dotted path replaced (or removed, for undefined), through JSON. */
function changed(path: string, value: unknown): unknown {
  const copy = JSON.parse(JSON.stringify(good));
  const keys = path.split('.');
  const last = keys.pop() as string;
  let at = copy;
  for (const key of keys) at = at[key];
  at[last] = value;
  return JSON.parse(JSON.stringify(copy));
}

function problemsOf(json: unknown): string {
  try {
    parseManifest(json);
  } catch (error) {
    expect(error).toBeInstanceOf(FlipbookError);
    expect((error as FlipbookError).code).toBe('weights');
    expect((error as FlipbookError).hint).toContain('different versions');
    return (error as FlipbookError).message;
  }
  throw new Error('the manifest was accepted');
}

describe('parseManifest accepts', () => {
  it.each<[string, string, unknown]>([
    ['the plain manifest', 'version', '0.1.0'],
    ['an encoder', 'modules.encoder', file('encoder.safetensors')],
    ['a beta schedule', 'process', { schedule: 'linear', timesteps: 1000, betaStart: 1e-4, betaEnd: 0.02 }],
    [
      'a cosine schedule',
      'process',
      { schedule: 'cosine', timesteps: 1000, zeroTerminalSnr: true, spacing: 'trailing' },
    ],
    ['picture steps', 'defaults.pictureSteps', 8],
    ['metrics', 'metrics', { psnr: 29.1 }],
  ])('%s', (_name, path, value) => {
    const json = changed(path, value);
    expect(parseManifest(json)).toEqual(json);
  });
});

describe('parseManifest refuses', () => {
  it.each<[string, unknown, string]>([
    ['format', 2, 'format must be 1, but it is 2'],
    ['name', 'My Model', 'name must be lower-case letters'],
    ['licence', '', 'licence must be a text that is not empty'],
    ['provenance', [], 'provenance must be a list that is not empty, but it is []'],
    ['modules.text', undefined, 'modules.text is missing'],
    ['modules.text.sha256', 'AB', 'modules.text.sha256 must be 64 lower-case hex digits, but it is "AB"'],
    ['modules.text.bytes', 0, 'modules.text.bytes must be a whole number from 1, but it is 0'],
    ['modules.text.file', '../secret', 'modules.text.file must be a file name without a folder'],
    ['modules.text.file', 'https://example.org/x', 'modules.text.file must be a file name without a folder'],
    ['modules.extra', file('x'), 'modules.extra is not known'],
    ['latents', undefined, 'latents is missing'],
    ['latents.mean', [0, 0, 0], 'latents.mean must be as many numbers as latents.channels, but it is [0,0,0]'],
    ['latents.std', [1, 0], 'latents.std.1 must be a number above 0, but it is 0'],
    ['latents.size', [16], 'latents.size.1 must be a whole number from 1, but it is missing'],
    ['process', 'ddpm', 'process must be Object, but it is "ddpm"'],
    ['process', { schedule: 'linear', timesteps: 1000 }, 'process.betaStart is missing'],
    ['process', { schedule: 'flow', shift: 0 }, 'process.shift must be a number above 0'],
    [
      'process',
      { timesteps: 10 },
      'process.schedule must be ("flow" | ("linear" | "scaled-linear") | "cosine"), but it is missing',
    ],
    ['prediction', 'eps', 'prediction must be ("flow" | "epsilon" | "v" | "x0"), but it is "eps"'],
    ['limits.frames.max', 'many', 'limits.frames.max must be a whole number from 1, but it is "many"'],
    ['defaults.frames', 37, 'defaults.frames must be within limits.frames, but it is 37'],
    ['defaults.steps', 201, 'defaults.steps must be a whole number from 1 to 200, but it is 201'],
    ['defaults.sampler', 'heun', 'defaults.sampler must be ("ddpm" | "ddim"'],
    ['defaults.clipGuidence', 1, 'defaults.clipGuidence is not known'],
    ['goldens', [], 'goldens is not known'],
  ])('%s = %j', (path, value, message) => {
    expect(problemsOf(changed(path, value))).toContain(message);
  });

  it('everything wrong at once, one line each', () => {
    const message = problemsOf({ ...good, format: 9, version: 1, prediction: 'x' });
    expect(message.split('\n')).toHaveLength(4);
  });

  it('any other JSON with its own error, never with a crash', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(problemsOf(json)).toContain('does not describe a model');
      }),
    );
  });

  it('one key replaced by any other JSON with its own error, or accepts it', () => {
    const keys = Object.keys(good);
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
        try {
          parseManifest({ ...good, [key]: value });
        } catch (error) {
          expect(error).toBeInstanceOf(FlipbookError);
        }
      }),
    );
  });
});
