// What is said of the shipped model is of the shipped model: its numbers, the captions of its contact sheets, its training hours.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

const model = json('public/models/sticker/model.json');
const sha256 = Object.fromEntries(Object.keys(model.modules).map((name) => [name, model.modules[name].sha256]));
const anew = '`npm run eval` measures it anew';

test('metrics.json is of these weights', () => {
  const { version, weights } = json('public/models/sticker/metrics.json');
  expect({ version, weights }, anew).toEqual({ version: model.version, weights: sha256 });
});

test('the contact sheets are of these weights', () => {
  const { version, weights } = json('docs/evaluation/captions.json');
  expect({ version, weights }, anew).toEqual({ version: model.version, weights: sha256.denoiser.slice(0, 12) });
});

test('the history ends with these weights, and model.json says how long all of its versions were trained', () => {
  const versions = json('training/history.json');
  const { version, denoiser, decoder } = versions.at(-1);
  expect([version, denoiser, decoder], anew).toEqual([
    model.version,
    sha256.denoiser.slice(0, 12),
    sha256.decoder.slice(0, 12),
  ]);
  const minutes = versions.reduce((sum: number, row: { trained_minutes: number }) => sum + row.trained_minutes, 0);
  expect(model.description).toContain(`trained for some ${Math.round(minutes / 60)} hours`);
});
