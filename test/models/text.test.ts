// What the embedded model reads of a prompt, by its own tokenizer.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { parseManifest } from '../../src/models/manifest';
import { PromptReader, textConfig } from '../../src/models/text';
import { Weights } from '../../src/weights/weights';

const file = (name: string) => readFileSync(new URL(`../../public/models/sticker/${name}`, import.meta.url));
let reader: PromptReader;

beforeAll(() => {
  const { text, tokenizer } = parseManifest(JSON.parse(file('model.json').toString())).modules;
  const weights = Weights.open(null, new Uint8Array(file(text.file)).buffer, text.file);
  reader = new PromptReader(JSON.parse(gunzipSync(file(tokenizer.file)).toString()), weights, textConfig(text.config));
});

test.each([
  ['a dancing cat', []],
  ['', []],
  ['  a   Café, “red”!  ', []],
  ['a 🐱 and 猫', ['🐱', '猫']],
])('of %o it does not know %o', (prompt, unknown) => {
  expect(reader.unread(prompt)).toEqual({ unknown, cut: '' });
});

test('22 tokens are read: what is cut are the words whose tokens do not reach the network', () => {
  const words = Array.from('abcdefghijklmnopqrstuv');
  expect(reader.unread(words.join(' '))).toEqual({ unknown: [], cut: '' });
  expect(reader.unread([...words, 'w', '🐱'].join(' '))).toEqual({ unknown: [], cut: 'w 🐱' });
  const { ids } = reader.read([...words, 'w'].join(' '));
  expect(ids).toEqual(reader.read(words.join(' ')).ids);
  expect(reader.unread([...words.slice(1), 'electroencephalography'].join(' ')).cut).toBe('electroencephalography');
});
