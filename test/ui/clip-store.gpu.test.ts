// Finished clips in a real Cache API: what is found again, in which order, what goes, and what damaged entries do.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { xmpBox } from '../../src/media/metadata';
import { defaults, toRaw } from '../../src/options';
import { openClipStore } from '../../src/ui/clip-store';
import { pixels, sha256 } from './pictures';

const drawing = { name: 'Drawing ✏️', sha256, pixels };

/** As much of an MP4 as says how it was made. */
function file(prompt: string, picture?: string): Blob {
  const ftyp = Uint8Array.of(0, 0, 0, 8, ...new TextEncoder().encode('ftyp'));
  const metadata = {
    ...defaults,
    prompt,
    ...(picture && { picture }),
    model: 'test 1',
    modelHash: '',
    appVersion: '1',
  };
  return new Blob([ftyp, xmpBox(metadata)], { type: 'video/mp4' });
}

const clip = (title: string, prompt = title) => ({ video: file(prompt), title });
const drawn = (title: string) => ({ video: file(title, sha256), title, picture: drawing });
const titles = async () => (await openClipStore(9).load()).map(({ title }) => title);

const clear = () => caches.delete('flipbook-clips');
let now = 0;
beforeEach(async () => {
  await clear();
  now = 1_000_000;
  vi.spyOn(Date, 'now').mockImplementation(() => now++);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await clear();
});

test('clips are found again as they were, newest first, and the oldest go', async () => {
  const store = openClipStore(3);
  for (const prompt of ['an egg', 'a chick', 'a hen 🐔 & co', 'an omelette'])
    expect(await store.keep(clip(prompt))).toMatch(/clips\/.*\.mp4$/);
  const clips = await openClipStore(3).load();
  expect(clips.map(({ title }) => title)).toEqual(['an omelette', 'a hen 🐔 & co', 'a chick']);
  const { redraw: _none, ...settings } = { ...toRaw(defaults), prompt: 'an omelette' };
  expect(clips[0]?.settings).toEqual({ ...settings, model: 'test 1' });
  expect(clips[0]?.picture).toBeUndefined();
  expect(clips[0]?.video.type).toBe('video/mp4');
  expect(await clips[0]?.video.arrayBuffer()).toEqual(await file('an omelette').arrayBuffer());
});

test('one can be removed by itself', async () => {
  const store = openClipStore(3);
  await store.keep(clip('an egg'));
  const name = await store.keep(clip('a chick'));
  await store.keep(clip('a hen'));
  expect((await store.load()).map((kept) => kept.name)[1]).toBe(name);
  await store.remove(name ?? '');
  expect(await titles()).toEqual(['a hen', 'an egg']);
});

test('one can take the place of another', async () => {
  const store = openClipStore(3);
  const name = await store.keep(clip('an egg'));
  await store.keep(clip('a chick'));
  expect(await store.keep(clip('an egg', 'an egg on blue'), name)).toBe(name);
  const clips = await store.load();
  expect(clips.map(({ settings }) => settings.prompt)).toEqual(['a chick', 'an egg on blue']);
});

test('a clip of a picture has the title that it was given', async () => {
  await openClipStore(3).keep(clip('cat.png', ''));
  expect((await openClipStore(3).load())[0]).toMatchObject({ title: 'cat.png', settings: { prompt: '' } });
});

test('the picture that a clip started from comes back to the last bit, and its video without it', async () => {
  await openClipStore(3).keep(drawn('a fox'));
  const [kept] = await openClipStore(3).load();
  expect(kept?.picture).toEqual(drawing);
  expect(await kept?.video.arrayBuffer()).toEqual(await file('a fox', sha256).arrayBuffer());
});

test('the file of a picture that was made here comes back with it', async () => {
  const picture = { ...drawing, file: Uint8Array.of(137, 80, 78, 71) };
  await openClipStore(3).keep({ ...drawn('a fox'), picture });
  const [kept] = await openClipStore(3).load();
  expect(kept?.picture).toEqual(picture);
  expect(await kept?.video.arrayBuffer()).toEqual(await file('a fox', sha256).arrayBuffer());
});

const fileOf = (bytes: string) => ({ 'X-Flipbook-Picture-File-Bytes': bytes });

test.each<[string, Record<string, string>, BlobPart[]]>([
  ['cut short', {}, [pixels.data.slice(1)]],
  ['too long', {}, [pixels.data, 'more']],
  ['whose file is cut short', fileOf('5'), [pixels.data, 'more']],
  ['whose file is longer than it says', fileOf('3'), [pixels.data, 'more']],
  ['whose file has no length', fileOf('x'), [pixels.data]],
  ['whose file has a length below 0', fileOf('-4'), [pixels.data.slice(4)]],
  ['of a video that ends nobody knows where', { 'X-Flipbook-Video-Bytes': 'x' }, [pixels.data]],
  ['of a name that is no text', { 'X-Flipbook-Picture': '%' }, [pixels.data]],
])('a damaged picture is none: %s', async (_what, damage, rest) => {
  const video = file('a fox', sha256);
  const headers = { 'X-Flipbook-Video-Bytes': String(video.size), 'X-Flipbook-Picture': 'Drawing', ...damage };
  const cache = await caches.open('flipbook-clips');
  await cache.put(new URL('clips/9', document.baseURI), new Response(new Blob([video, ...rest]), { headers }));
  expect(await openClipStore(3).load()).toMatchObject([{ title: 'a fox', picture: undefined }]);
});

test('a picture that the file does not name is none of the clip’s', async () => {
  await openClipStore(3).keep({ ...clip('a fox'), picture: drawing });
  expect(await openClipStore(3).load()).toMatchObject([{ title: 'a fox', picture: undefined }]);
});

test('a clock that was ahead does not cost the clips that are made after', async () => {
  const store = openClipStore(2);
  now += 1e9;
  for (const prompt of ['an egg', 'a chick']) await store.keep(clip(prompt));
  now -= 1e9;
  for (const prompt of ['a hen', 'an omelette']) await store.keep(clip(prompt));
  expect(await titles()).toEqual(['an omelette', 'a hen']);
});

/** Room for so many entries in all. */
function limitTo(most: number): void {
  const { put } = Cache.prototype;
  vi.spyOn(Cache.prototype, 'put').mockImplementation(async function (this: Cache, request, response) {
    const names = new Set((await this.keys()).map(({ url }) => url)).add(String(request));
    if (names.size > most) throw new DOMException('no room', 'QuotaExceededError');
    await put.call(this, request, response);
  });
}

test('where there is no room the oldest go, until there is', async () => {
  const store = openClipStore(8);
  for (const prompt of ['an egg', 'a chick', 'a hen']) await store.keep(clip(prompt));
  limitTo(2);
  expect(await store.keep(clip('an omelette'))).toBeDefined();
  expect(await titles()).toEqual(['an omelette', 'a hen']);
});

test('what is let go for others, and all that another tab lets go, is told by name', async () => {
  const store = openClipStore(3);
  const other = openClipStore(3);
  const [here, there]: [unknown[], unknown[]] = [[], []];
  store.onGone((names) => here.push(names));
  other.onGone((names) => there.push(names));
  const names: (string | undefined)[] = [];
  for (const prompt of ['an egg', 'a chick', 'a hen', 'an omelette']) names.push(await store.keep(clip(prompt)));
  limitTo(2);
  names.push(await store.keep(clip('a rooster')));
  limitTo(0);
  expect(await store.keep(clip('a goose'))).toBeUndefined(); // It cost others all the same.
  const gone = [[names[0]], [names[1], names[2]], [names[3], names[4]]];
  expect(here).toEqual(gone);
  await store.remove('a name');
  store.noteCleared();
  await vi.waitFor(() => expect(there).toEqual([...gone, ['a name'], undefined]));
  expect(here).toEqual(gone);
});

test('what takes the place of another makes room, too, but does not cost that', async () => {
  const store = openClipStore(8);
  const name = await store.keep(clip('an egg'));
  for (const prompt of ['a chick', 'a hen']) await store.keep(clip(prompt));
  limitTo(2);
  expect(await store.keep(clip('an egg on blue'), name)).toBe(name);
  expect(await titles()).toEqual(['a hen', 'an egg on blue']);
  limitTo(0);
  expect(await store.keep(clip('an egg on red'), name)).toBeUndefined();
  expect(await titles()).toEqual(['a hen', 'an egg on blue']);
});

test('a clip for which there is no room to be made costs none, or few where it looked as if there were', async () => {
  const store = openClipStore(8);
  for (const prompt of ['a', 'b', 'c', 'd', 'e', 'f']) await store.keep(clip(prompt));
  limitTo(0);
  const video = new Blob([file('large'), new Uint8Array(1e5)]);
  expect(await store.keep({ video, title: 'large' })).toBeUndefined();
  expect(await titles()).toEqual(['f', 'e', 'd', 'c', 'b', 'a']);
  expect(await store.keep(clip('g'))).toBeUndefined();
  expect(await titles()).toEqual(['f', 'e', 'd']);
});

test('other failures cost no clip', async () => {
  const store = openClipStore(8);
  await store.keep(clip('an egg'));
  vi.spyOn(Cache.prototype, 'put').mockRejectedValue(new DOMException('broken', 'UnknownError'));
  expect(await store.keep(clip('a chick'))).toBeUndefined();
  expect(await titles()).toEqual(['an egg']);
});

test('damaged entries are passed over', async () => {
  const store = openClipStore(8);
  await store.keep(clip('a whole one'));
  await store.keep({ video: new Blob(['no MP4']), title: 'damaged' });
  const whole = await file('half of one').arrayBuffer();
  await store.keep({ video: new Blob([whole.slice(0, 100)]), title: 'cut off' });
  const cache = await caches.open('flipbook-clips');
  await cache.put(
    new URL('clips/9', document.baseURI),
    new Response(file('x'), { headers: { 'X-Flipbook-Title': '%' } }),
  );
  expect((await store.load()).map(({ title }) => title)).toEqual(['a whole one']);
});

test('no room, or no storage at all: nothing is kept, nothing thrown, and it is said', async () => {
  const store = openClipStore(8);
  limitTo(0);
  expect(await store.keep(clip('an egg'))).toBeUndefined();
  vi.spyOn(caches, 'open').mockRejectedValue(new DOMException('forbidden', 'SecurityError'));
  expect(await store.keep(clip('an egg'))).toBeUndefined();
  expect(await store.load()).toEqual([]);
});
