// Finished clips in a real Cache API: what is found again, in which order, what goes, and what damaged entries do.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { xmpBox } from '../../src/media/metadata';
import { defaults, toRaw } from '../../src/options';
import { openClipStore } from '../../src/ui/clip-store';

/** As much of an MP4 as says how it was made. */
function file(prompt: string): Blob {
  const ftyp = Uint8Array.of(0, 0, 0, 8, ...new TextEncoder().encode('ftyp'));
  const metadata = { ...defaults, prompt, model: 'test 1', modelHash: '', appVersion: '1' };
  return new Blob([ftyp, xmpBox(metadata)], { type: 'video/mp4' });
}

const clear = () => caches.delete('flipbook-clips');
beforeEach(async () => {
  await clear();
  let now = 1_000_000;
  vi.spyOn(Date, 'now').mockImplementation(() => now++);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await clear();
});

test('clips are found again as they were, newest first, and the oldest go', async () => {
  const store = openClipStore(3);
  for (const prompt of ['an egg', 'a chick', 'a hen 🐔 & co', 'an omelette'])
    expect(await store.keep(file(prompt), prompt)).toMatch(/clips\/.*\.mp4$/);
  const clips = await openClipStore(3).load();
  expect(clips.map(({ title }) => title)).toEqual(['an omelette', 'a hen 🐔 & co', 'a chick']);
  const { redraw: _none, ...settings } = { ...toRaw(defaults), prompt: 'an omelette' };
  expect(clips[0]?.settings).toEqual({ ...settings, model: 'test 1' });
  expect(clips[0]?.video.type).toBe('video/mp4');
  expect(await clips[0]?.video.arrayBuffer()).toEqual(await file('an omelette').arrayBuffer());
});

test('one can be removed by itself', async () => {
  const store = openClipStore(3);
  await store.keep(file('an egg'), 'an egg');
  const name = await store.keep(file('a chick'), 'a chick');
  await store.keep(file('a hen'), 'a hen');
  expect((await store.load()).map((clip) => clip.name)[1]).toBe(name);
  await store.remove(name ?? '');
  expect((await store.load()).map(({ title }) => title)).toEqual(['a hen', 'an egg']);
});

test('one can take the place of another', async () => {
  const store = openClipStore(3);
  const name = await store.keep(file('an egg'), 'an egg');
  await store.keep(file('a chick'), 'a chick');
  expect(await store.keep(file('an egg on blue'), 'an egg', name)).toBe(name);
  const clips = await store.load();
  expect(clips.map(({ settings }) => settings.prompt)).toEqual(['a chick', 'an egg on blue']);
});

test('a clip of a picture has the title that it was given', async () => {
  await openClipStore(3).keep(file(''), 'cat.png');
  expect((await openClipStore(3).load())[0]).toMatchObject({ title: 'cat.png', settings: { prompt: '' } });
});

test('damaged entries are passed over', async () => {
  const store = openClipStore(8);
  await store.keep(file('a whole one'), 'a whole one');
  await store.keep(new Blob(['no MP4']), 'damaged');
  const whole = await file('half of one').arrayBuffer();
  await store.keep(new Blob([whole.slice(0, 100)]), 'cut off');
  const cache = await caches.open('flipbook-clips');
  await cache.put(
    new URL('clips/9', document.baseURI),
    new Response(file('x'), { headers: { 'X-Flipbook-Title': '%' } }),
  );
  expect((await store.load()).map(({ title }) => title)).toEqual(['a whole one']);
});

test('no room, or no storage at all: nothing is kept, nothing thrown, and it is said', async () => {
  const store = openClipStore(8);
  vi.spyOn(Cache.prototype, 'put').mockRejectedValue(new DOMException('no room', 'QuotaExceededError'));
  expect(await store.keep(file('an egg'), 'an egg')).toBeUndefined();
  vi.spyOn(caches, 'open').mockRejectedValue(new DOMException('forbidden', 'SecurityError'));
  expect(await store.keep(file('an egg'), 'an egg')).toBeUndefined();
  expect(await store.load()).toEqual([]);
});
