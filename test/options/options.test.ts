// Options: validation per field, on typed strings and on values, and links that carry them.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseManifest } from '../../src/models/manifest';
import {
  decodeLink,
  defaults,
  encodeLink,
  type Field,
  fields,
  framesPerSecond,
  type GenerateOptions,
  limits,
  toRaw,
  usualMotion,
} from '../../src/options';
import { formatBox, parseBox, parseRedraw } from '../../src/redraw';
import { samplerNames } from '../../src/sampler-names';
import { validate } from '../../src/validate';

const validOptions: fc.Arbitrary<GenerateOptions> = fc.record({
  prompt: fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 80 })
    .map((text) => text.replace(/\s+/g, ' ').trim())
    .filter((text) => text !== '' && !/[>→]/.test(text)),
  seed: fc.maxSafeNat(),
  steps: fc.integer({ min: 1, max: 200 }),
  guidance: fc.double({ min: 0, max: 20, noNaN: true }).map((value) => Math.round(value * 100) / 100),
  frames: fc.integer({ min: 1, max: 36 }).map((value) => value * 4),
  sampler: fc.constantFrom(...samplerNames),
  background: fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`),
});

function errorOf(field: Field, value: unknown): string {
  const result = validate({ ...toRaw(defaults), [field]: value });
  if (result.ok) return '';
  expect(Object.keys(result.errors)).toEqual([field]);
  return result.errors[field] ?? '';
}

describe('validate', () => {
  test('defaults and limits are those of the model', () => {
    const manifest = parseManifest(JSON.parse(readFileSync('public/models/sticker/model.json', 'utf8')));
    const { steps, guidance, frames, sampler, fps } = manifest.defaults;
    expect({ ...defaults, fps: framesPerSecond }).toMatchObject({ steps, guidance, frames, sampler, fps });
    expect(limits.frames).toEqual({
      min: manifest.limits.frames.min,
      max: manifest.limits.frames.max,
      multiple: manifest.limits.frames.multipleOf,
    });
    expect(limits.promptLength).toBe(manifest.limits.promptCharacters);
  });

  test('accepts the defaults, as strings and as values', () => {
    expect(validate(toRaw(defaults))).toEqual({ ok: true, options: defaults });
    expect(validate(defaults)).toEqual({ ok: true, options: defaults });
  });

  test('any valid options survive being typed into the form', () => {
    fc.assert(
      fc.property(validOptions, (options) => {
        expect(validate(toRaw(options))).toEqual({ ok: true, options });
      }),
    );
  });

  test.each<[Field, unknown, RegExp]>([
    ['prompt', '', /empty.*dancing cat/],
    ['prompt', ' \n\t ', /empty/],
    ['prompt', undefined, /empty/],
    ['prompt', 'a'.repeat(10_000), /10000 characters; at most 500.*Shorten it by 9500/],
    ['prompt', 'a cat > > a dog', /scene 2 of 3.*Say what is there, or take out one “>”/],
    ['prompt', 'a cat >', /scene 2 of 2/],
    ['prompt', '-> a cat', /scene 1 of 2/],
    ['prompt', '→', /scene 1 of 2/],
    ['prompt', 'a>b>c>d>e>f>g>h', /8 scenes.*at most 6.*Take out 2/],
    ['steps', '0', /“0”.*from 1 to 200.*Try \d+\./],
    ['steps', '-1', /“-1”/],
    ['steps', '1e9', /“1e9”/],
    ['steps', 1e9, /“1000000000”/],
    ['steps', 'abc', /“abc”.*whole number/],
    ['steps', '1.5', /“1.5”.*whole number/],
    ['steps', '', /nothing.*whole number/],
    ['steps', '201', /“201”/],
    ['steps', Number.NaN, /“NaN”/],
    ['steps', { length: 3 }, /nothing/],
    ['seed', '1.5', /“1.5”.*9007199254740991.*dice/],
    ['seed', '-3', /“-3”/],
    ['seed', '9007199254740992', /“9007199254740992”/],
    ['seed', '9'.repeat(400), /“9{24}…”/],
    ['guidance', '-0.1', /“-0.1”.*from 0 to 20.*Try \d/],
    ['guidance', '20.01', /“20.01”/],
    ['guidance', 'Infinity', /“Infinity”/],
    ['guidance', '0x10', /“0x10”/],
    ['motion', 'wild', new RegExp(`“wild”.*from 0 to 4, or nothing. Try ${usualMotion}`)],
    ['motion', '4.1', /“4.1”/],
    ['redraw', 'the nose', /“the nose”.*grid of 16 by 16, or “all”, or nothing. Try 4,4,8,8/],
    ['redraw', '4,4,8', /“4,4,8”/],
    ['redraw', '9,0,8,8', /“9,0,8,8”/],
    ['redraw', '0,0,0,8', /“0,0,0,8”/],
    ['redraw', '4,4,8,8', /needs a start picture/],
    ['frames', '7', /“7”.*multiple of 4 from 4 to 144.*Try 8/],
    ['frames', '0', /Try 4/],
    ['frames', '148', /Try 144/],
    ['frames', 'many', /“many”.*Try \d+/],
    ['sampler', 'plms', /“plms”.*flow-euler.*ddpm/],
    ['sampler', 'constructor', /“constructor”/],
    ['background', 'red', /“red”.*#ffd166/],
    ['background', '#12345', /“#12345”/],
    ['background', '#ffffff;x', /“#ffffff;x”/],
  ])('%s = %j says what is wrong and what to do', (field, value, message) => {
    expect(errorOf(field, value)).toMatch(message);
  });

  test.each([
    ['egg > chick > rooster', '20', /“20”.*from 24 to 144 for 3 scenes, 8 for each\. Try 24, or fewer scenes\./],
    ['egg > chick', '4', /“4”.*from 16 to 144 for 2 scenes.*Try 16/],
    ['a>b>c>d>e>f', 'long', /“long”.*from 48.*Try 48/],
    ['egg > chick', '18', /“18”.*Try 20/],
  ])('%s in %s frames is told at Frames', (prompt, frames, message) => {
    const result = validate({ ...toRaw(defaults), prompt, frames });
    expect(result).toEqual({ ok: false, errors: { frames: expect.stringMatching(message) } });
  });

  test('a story is one text: as typed, in links and back', () => {
    for (const prompt of ['egg > chick > rooster', 'egg->chick → rooster', 'a>b>c>d>e>f']) {
      const options = { ...defaults, prompt, frames: 48 };
      expect(validate(toRaw(options))).toEqual({ ok: true, options });
      expect(validate(decodeLink(encodeLink(options)))).toEqual({ ok: true, options });
    }
  });

  test('a start picture that is kept can be the first scene, and no other', () => {
    const given = { ...toRaw(defaults), picture: 'ab'.repeat(32) };
    expect(validate({ ...given, prompt: '> a dog' })).toMatchObject({ ok: true, options: { prompt: '> a dog' } });
    const wrong = [
      { ...given, prompt: '> a dog >' },
      { ...given, prompt: '>' },
      { ...given, prompt: '> a dog', redraw: '4,4,8,8' },
    ];
    for (const each of wrong) expect(validate(each)).toMatchObject({ errors: { prompt: expect.any(String) } });
  });

  test('reports every wrong field at once', () => {
    const result = validate({});
    const needed = fields.filter((field) => !['motion', 'redraw'].includes(field));
    expect(result.ok ? [] : Object.keys(result.errors).sort()).toEqual(needed.sort());
  });

  test('a part of a picture: any box on the grid, however it is typed; then a prompt is needed, and a still will do', () => {
    const given = { ...toRaw(defaults), picture: 'ab'.repeat(32), frames: '4' };
    expect(validate({ ...given, redraw: ' 4 4, 8,8 ' })).toMatchObject({ ok: true, options: { redraw: '4,4,8,8' } });
    expect(validate({ ...given, redraw: '4,4,8,8', prompt: '' })).toMatchObject({
      errors: { prompt: expect.stringMatching(/empty/) },
    });
    expect(validate(given)).toMatchObject({ errors: { frames: expect.stringMatching(/from 8/) } });
    const boxes = fc.tuple(fc.nat(15), fc.nat(15), fc.nat(15), fc.nat(15)).map(([left, top, right, bottom]) => ({
      left,
      top,
      width: Math.max(1, right - left),
      height: Math.max(1, bottom - top),
    }));
    fc.assert(
      fc.property(boxes, (box) => {
        expect(parseBox(formatBox(box))).toEqual(box);
        const result = validate({ ...given, redraw: formatBox(box) });
        expect(result.ok && decodeLink(encodeLink(result.options)).redraw).toBe(formatBox(box));
      }),
    );
  });

  test('a sketch: all of the picture is drawn anew, from a prompt', () => {
    const given = { ...toRaw(defaults), picture: 'ab'.repeat(32), redraw: ' All ' };
    const options = { ...defaults, picture: given.picture, redraw: 'all' };
    expect(validate(given)).toEqual({ ok: true, options });
    expect(validate(decodeLink(encodeLink(options)))).toEqual({ ok: true, options });
    expect(validate({ ...given, prompt: '' })).toMatchObject({ errors: { prompt: expect.stringMatching(/empty/) } });
    expect(errorOf('redraw', 'all')).toMatch(/needs a start picture/);
    expect(parseRedraw('all of it')).toBeUndefined();
  });

  test('limits are inclusive', () => {
    const { seed, steps, guidance, frames } = limits;
    for (const edge of ['min', 'max'] as const) {
      const given = {
        ...toRaw(defaults),
        seed: seed[edge],
        steps: steps[edge],
        guidance: guidance[edge],
        frames: frames[edge],
      };
      expect(validate(given).ok).toBe(true);
    }
    expect(validate({ ...toRaw(defaults), prompt: '🐈'.repeat(limits.promptLength) }).ok).toBe(true);
  });

  test('motion may be left out, which is not 0', () => {
    const { motion: _usual, ...free } = defaults;
    expect(validate({ ...toRaw(defaults), motion: ' ' })).toEqual({ ok: true, options: free });
    const options = { ...defaults, motion: 0 };
    expect(validate({ ...toRaw(defaults), motion: '0' })).toEqual({ ok: true, options });
    expect(validate(decodeLink(encodeLink(options)))).toEqual({ ok: true, options });
    expect(encodeLink(free)).not.toContain('motion');
  });

  test('forgives what has one meaning', () => {
    const result = validate({ ...toRaw(defaults), prompt: '  a\n dancing   cat ', steps: ' 8 ', background: '#FFD' });
    const meant = { ...defaults, prompt: 'a dancing cat', background: '#ffffdd' };
    expect(result).toEqual({ ok: true, options: meant });
  });

  test('never throws and never lets a wrong value through', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...fields), fc.anything()), (given) => {
        const result = validate(given);
        if (!result.ok) {
          for (const message of Object.values(result.errors)) expect(message).toMatch(/^[A-Z].{10,}\.$/su);
          return;
        }
        const { steps, frames, seed, prompt } = result.options;
        expect(Number.isSafeInteger(seed) && Number.isInteger(steps) && frames % 4 === 0 && prompt !== '').toBe(true);
      }),
    );
  });
});

describe('a start picture', () => {
  const picture = 'ab'.repeat(32);

  test('makes the prompt optional, and needs two latent frames to move', () => {
    const given = { ...toRaw(defaults), prompt: ' ', picture };
    expect(validate(given)).toEqual({ ok: true, options: { ...defaults, prompt: '', picture } });
    const still = validate({ ...given, frames: String(limits.frames.multiple) });
    expect(still.ok ? '' : still.errors.frames).toMatch(/“4”.*from 8 to 144 with a start picture\. Try 8/);
  });

  test('is named by the hash of its file, or not at all', () => {
    expect(validate({ ...toRaw(defaults), picture: '' })).toEqual({ ok: true, options: defaults });
    const wrong = validate({ ...toRaw(defaults), picture: 'cat.png' });
    expect(wrong.ok ? {} : wrong.errors).toEqual({ picture: expect.stringMatching(/“cat.png”.*SHA-256/) });
  });

  test('is named in links; what is no hash is dropped', () => {
    const options = { ...defaults, prompt: '', frames: 8, picture };
    expect(validate(decodeLink(encodeLink(options)))).toEqual({ ok: true, options });
    expect(encodeLink(defaults)).not.toContain('picture');
    expect(decodeLink('#picture=<script>&seed=1')).toEqual({ seed: '1' });
    expect(decodeLink(`#picture=${picture.toUpperCase()}`)).toEqual({});
  });
});

describe('links', () => {
  test('reproduce any valid options', () => {
    fc.assert(
      fc.property(validOptions, (options) => {
        const link = encodeLink(options);
        expect(link).toMatch(/^#prompt=[\x21-\x7e]+$/);
        expect(validate(decodeLink(link))).toEqual({ ok: true, options });
      }),
    );
  });

  test('half a surrogate pair in the prompt is replaced, so that a link can carry it', () => {
    const result = validate({ ...toRaw(defaults), prompt: 'cat \ud83d' });
    expect(result).toEqual({ ok: true, options: { ...defaults, prompt: 'cat \ufffd' } });
  });

  test('keep wrong values as typed, ignore unknown keys, and never throw', () => {
    expect(decodeLink('#steps=abc&cat=1&__proto__=2')).toEqual({ steps: 'abc' });
    fc.assert(
      fc.property(fc.string(), (hash) => {
        const raw = decodeLink(hash);
        expect(Object.keys(raw).every((key) => fields.includes(key as Field))).toBe(true);
      }),
    );
  });
});
