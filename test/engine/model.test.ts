// Which model a page takes: the one that its links and files name, and any other where nobody names one.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { loadModel } from '../../src/engine/model';
import type { Gpu } from '../../src/gpu/device';

/** A server with the tiny model's manifest alone: whoever takes that asks for a weight next. */
async function load(title?: string): Promise<unknown> {
  const manifest = await readFile(new URL('../fixtures/tiny/model.json', import.meta.url), 'utf8');
  const fetch = async (url: string) =>
    url.endsWith('model.json') ? new Response(manifest) : new Response('', { status: 404 });
  const source = { modelUrl: 'https://flipbook.test/models/tiny/', fetch, cache: null, ...(title && { title }) };
  return loadModel(undefined as unknown as Gpu, source, new AbortController().signal, () => {}).catch((error) => error);
}

test.each(['tiny 0.0.9', 'tiny 0.1.0-rc'])('a page of %s does not take another version of it', async (title) => {
  expect(await load(title)).toMatchObject({
    code: 'weights',
    message: `The model found is tiny 0.1.0, and this page has ${title}`,
    hint: expect.stringContaining('when the server can be reached'), // Offline, a reload gives the same.
  });
});

test.each(['tiny 0.1.0', 'sticker 0.1.0', undefined])('a page of %s takes it', async (title) => {
  expect(await load(title)).toMatchObject({ code: 'weights', message: expect.stringContaining('answered 404') });
});
