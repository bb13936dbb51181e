// The main job in the real page: type, generate, cancel, generate again, download, and read the file back.
import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { ALL_FORMATS, BufferSource, Input } from 'mediabunny';
import {
  alphas,
  download,
  ended,
  expect,
  generate,
  makeClip,
  meanDifference,
  open,
  pixels,
  probe,
  progressBar,
  short,
  statistics,
  test,
  thumbnail,
  xmp,
} from './flipbook';

/** What is on the canvas now. */
const shot = async (page: Page) =>
  (await page.getByRole('region', { name: 'Stage' }).locator('canvas').screenshot()).toString('base64');

test('type, generate, download, read the file back; the same seed gives the same clip, another seed another', async ({
  page,
}) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto('/');
  await expect(page.getByRole('button', { name: 'Download MP4' })).toBeDisabled();
  await page.getByLabel('Prompt').fill('a dancing <cat> & "dog" 🐈');
  await page.getByLabel('Steps').fill('2');
  await page.getByLabel('Frames').fill('8');
  await page.getByLabel('Seed').fill('7');
  await page.getByLabel('Background').fill('#336699');
  await generate(page);
  await expect(progressBar(page)).toHaveAttribute('aria-valuetext', /\d+%, .+/);
  await expect(page).toHaveTitle(/^\d+% · Flipbook$/);
  await ended(page);
  await expect(page).toHaveTitle(/dancing .* · Flipbook/);

  const { path, file } = await download(page);
  expect(file.suggestedFilename()).toBe('a-dancing-cat-dog-7.mp4');
  expect(probe(path)).toMatchObject({ frames: 8, width: 512, codec: expect.stringMatching(/^(h264|vp9)$/) });
  expect(probe(path).duration).toBeCloseTo(8 / 12, 2);
  const input = new Input({ source: new BufferSource(await readFile(path)), formats: ALL_FORMATS });
  expect(await input.computeDuration()).toBeCloseTo(8 / 12, 2);
  expect(JSON.stringify(xmp(path))).toContain('a dancing <cat> & \\"dog\\" 🐈');

  // Reduced motion: the canvas rests on the first frame, which must be the file's first frame.
  const picture = await download(page, 'Save PNG');
  expect(meanDifference(thumbnail(picture.path), thumbnail(path))).toBeLessThan(6);

  await makeClip(page);
  expect(pixels((await download(page)).path)).toBe(pixels(path));
  await page.getByLabel('Seed').fill('8');
  await makeClip(page);
  expect(pixels((await download(page)).path)).not.toBe(pixels(path));

  // The file brings its settings back.
  await page.getByLabel('Prompt').fill('something else');
  await page.getByLabel('Steps').fill('9');
  await page.getByLabel('open one').setInputFiles(path);
  await expect(page.getByLabel('Prompt')).toHaveValue('a dancing <cat> & "dog" 🐈');
  await expect(page.getByLabel('Steps')).toHaveValue('2');
  await expect(page.getByLabel('Seed')).toHaveValue('7');
  await expect(page.getByLabel('Background')).toHaveValue('#336699');
});

test('another paper: at once under the clip that is there, and in its file', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page, { background: '#ffffff' });
  await makeClip(page);
  const white = await download(page);
  const still = await download(page, 'Save PNG');
  await page.getByRole('button', { name: 'Night paper' }).click();
  const shown = async () => {
    const path = test.info().outputPath('canvas.png');
    await page.locator('.screen canvas').screenshot({ path });
    return meanDifference(thumbnail(path), thumbnail(still.path));
  };
  await expect.poll(shown).toBeGreaterThan(20);
  const night = await download(page);
  await expect(progressBar(page)).toHaveCount(0);
  expect(probe(night.path)).toMatchObject({ frames: Number(short.frames) });
  expect(xmp(night.path)).toMatchObject({ Background: '#232a3b', Seed: 7 });
  const dark = await download(page, 'Save PNG');
  expect(meanDifference(thumbnail(night.path), thumbnail(dark.path))).toBeLessThan(6);
  expect(meanDifference(thumbnail(night.path), thumbnail(white.path))).toBeGreaterThan(20);
  expect(pixels((await download(page)).path)).toBe(pixels(night.path));
});

test('cancel midway, keep the last clip, generate again', async ({ page }) => {
  await open(page);
  await makeClip(page);
  const before = pixels((await download(page)).path);
  await page.getByLabel('Steps').fill('200');
  await generate(page);
  await expect(progressBar(page)).toHaveAttribute('aria-valuetext', /step \d+ of 200/, { timeout: 60_000 });
  await expect(page.getByRole('button', { name: 'Clear it' })).toBeDisabled();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(progressBar(page)).toHaveCount(0, { timeout: 10_000 });
  await expect(page.locator('.note')).toHaveText('Cancelled.');
  await expect(page.getByRole('button', { name: 'Generate' })).toBeFocused();
  expect(pixels((await download(page)).path)).toBe(before);
  await page.getByLabel('Steps').fill(short.steps);
  await makeClip(page);
  expect(pixels((await download(page)).path)).toBe(before);
});

test('leaving with a clip in the making is asked about; an earlier clip can be saved and set up again, after a reload too', async ({
  page,
}) => {
  const asked: string[] = [];
  page.on('dialog', (dialog) => {
    asked.push(dialog.type());
    void dialog.dismiss();
  });
  await open(page, { prompt: 'a rocket' });
  await makeClip(page);
  const before = pixels((await download(page)).path);
  await page.getByLabel('Prompt').fill('a crab');
  await page.getByLabel('Steps').fill('20'); // long enough to be asked about
  await generate(page);
  await page.close({ runBeforeUnload: true });
  await ended(page);
  expect(asked).toEqual(['beforeunload']);
  await expect(page.locator('.caption q')).toHaveText('a crab');

  const shelf = page.getByRole('region', { name: 'Earlier clips' });
  await expect(shelf.locator('q')).toHaveText('a rocket');
  const { path, file } = await download(page, 'MP4 of the earlier clip “a rocket”');
  expect(file.suggestedFilename()).toBe('a-rocket-7.mp4');
  expect(pixels(path)).toBe(before);

  await page.reload();
  await expect(shelf.locator('q')).toHaveText(['a crab', 'a rocket']);
  await expect(shelf).toContainText('These stay in this browser');
  expect(pixels((await download(page, 'MP4 of the earlier clip “a rocket”')).path)).toBe(before);
  await shelf.getByRole('button', { name: 'Use its settings : “a rocket”' }).click();
  await expect(page.getByLabel('Prompt')).toHaveValue('a rocket');
  await expect(page.locator('.note')).toContainText('Settings restored from the earlier clip “a rocket”.');
});

test('an earlier clip is removed once that is confirmed, and does not come back with a reload', async ({ page }) => {
  const shelf = page.getByRole('region', { name: 'Earlier clips' });
  const stored = () => page.evaluate(async () => (await (await caches.open('flipbook-clips')).keys()).length);
  const asked: string[] = [];
  const remove = (answer: 'accept' | 'dismiss') => {
    page.once('dialog', (dialog) => {
      asked.push(dialog.message());
      void dialog[answer]();
    });
    return shelf.getByRole('button', { name: 'Remove the earlier clip “a rocket”' }).click();
  };
  await open(page, { prompt: 'a rocket' });
  await makeClip(page);
  await page.getByLabel('Prompt').fill('a crab');
  await makeClip(page);
  await expect.poll(stored).toBe(2);
  await remove('dismiss');
  expect(asked).toEqual(['Remove “a rocket”? Only files that you saved stay.']);
  await expect(shelf.locator('q')).toHaveText('a rocket');
  expect(await stored()).toBe(2);
  await remove('accept');
  await expect(page.locator('.note')).toHaveText('“a rocket” is removed.');
  await expect(shelf).toHaveCount(0);
  await page.reload();
  await expect(shelf.locator('q')).toHaveText(['a crab']);
});

test('GPU memory stays flat over five generations; 1, 4 and 50 steps work', async ({ page }) => {
  await open(page);
  const finished = await statistics(page);
  for (const steps of ['1', '4', '50', '1', '1']) {
    await page.getByLabel('Steps').fill(steps);
    await makeClip(page);
  }
  const bytes = (await finished()).map(({ stats }) => stats.bytesInUse);
  expect(bytes).toHaveLength(5);
  // The same steps need the same memory again, and more steps hardly more.
  expect([bytes[3], bytes[4]]).toEqual([bytes[0], bytes[0]]);
  expect(Math.max(...bytes)).toBeLessThan(1.02 * (bytes[0] ?? 0));
});

test('the finished clip plays in a loop, and pauses', async ({ page }) => {
  await open(page, { frames: '8' });
  await makeClip(page);
  const first = await shot(page);
  await expect.poll(() => shot(page)).not.toBe(first);
  await page.getByRole('button', { name: 'Pause' }).click();
  // A frame that was on its way when the button was pressed still comes, on a busy machine late; then none does. The waits
  // differ, so that no loop looks at rest by chance.
  let rest = '';
  await expect(async () => {
    rest = await shot(page);
    for (const wait of [410, 530, 290]) {
      await page.waitForTimeout(wait);
      expect(await shot(page)).toBe(rest);
    }
  }).toPass();
  await page.getByRole('button', { name: 'Play' }).click();
  await expect.poll(() => shot(page)).not.toBe(rest);
});

test('the last clip moves on after Cancel, and once it was put on another paper', async ({ page }) => {
  await open(page, { frames: '8' });
  await makeClip(page);
  const moves = () => {
    const seen = new Set<string>();
    // A preview may still be on its way: only several pages are the clip.
    return expect.poll(async () => seen.add(await shot(page)).size, { timeout: 60_000 }).toBeGreaterThan(4);
  };
  await page.getByLabel('Steps').fill('200');
  await generate(page);
  await expect(progressBar(page)).toHaveAttribute('aria-valuetext', /step \d+ of 200/, { timeout: 60_000 });
  await page.getByRole('button', { name: 'Cancel' }).click();
  await ended(page);
  await moves();
  await page.getByRole('button', { name: 'Night paper' }).click();
  expect(xmp((await download(page)).path)).toMatchObject({ Background: '#232a3b' });
  await moves();
});

test('the transparent animation: every frame for its time, its alpha, its settings', async ({ page }) => {
  await open(page, { frames: '8', prompt: 'a ghost', background: '#ff0000' });
  await makeClip(page);
  const { path, file } = await download(page, 'Download APNG');
  expect(file.suggestedFilename()).toBe('a-ghost-7.apng');
  expect(probe(path)).toMatchObject({ codec: 'apng', frames: 8, width: 256 });
  expect(probe(path).duration).toBeCloseTo(8 / 12, 2);
  expect(new Set(alphas(path)).size).toBeGreaterThan(10);
  await page.getByLabel('Prompt').fill('something else');
  await page.getByLabel('open one').setInputFiles(path);
  await expect(page.getByLabel('Prompt')).toHaveValue('a ghost');
});

/** A GIF of one pixel. */
const redDot = Buffer.from('R0lGODlhAQABAPAAAP8AAAAAACwAAAAAAQABAAACAkQBADs=', 'base64');

test('the GIF: every frame for its time, pixels that are there or not, its settings; any other is a start picture', async ({
  page,
}) => {
  await open(page, { frames: '12', prompt: 'a ghost', background: '#ff0000' });
  await makeClip(page);
  const { path, file } = await download(page, 'Download GIF');
  expect(file.suggestedFilename()).toBe('a-ghost-7.gif');
  expect(probe(path)).toMatchObject({ codec: 'gif', frames: 12, width: 256 });
  expect(probe(path).duration).toBeCloseTo(1, 3);
  expect(new Set(alphas(path))).toEqual(new Set([0, 255]));
  expect(xmp(path)).toMatchObject({ Prompt: 'a ghost', Background: '#ff0000' });
  await expect(page.locator('.stage .note')).toHaveText('The GIF is ready.');
  await page.getByLabel('Prompt').fill('something else');
  await page.getByLabel('open one').setInputFiles(path);
  await expect(page.getByLabel('Prompt')).toHaveValue('a ghost');
  await page.getByLabel('open one').setInputFiles({ name: 'dot.gif', mimeType: 'image/gif', buffer: redDot });
  await expect(page.locator('.drop .words')).toHaveText('dot.gif');
  await expect(page.locator('.stage .note')).toHaveText(
    '“dot.gif” holds no Flipbook settings. It is the start picture now.',
  );
});

test('an unlocked seed rolls for each new clip, a locked one stays', async ({ page }) => {
  await page.goto('/');
  await page.getByLabel('Steps').fill('1');
  await page.getByLabel('Frames').fill('4');
  const seed = page.getByLabel('Seed');
  const first = await seed.inputValue();
  await makeClip(page);
  await expect(seed).toHaveValue(first);
  await makeClip(page);
  await expect(seed).not.toHaveValue(first);
  await page.getByRole('button', { name: 'Roll dice' }).click();
  await page.getByRole('button', { name: 'Lock' }).click();
  const kept = await seed.inputValue();
  await makeClip(page);
  await makeClip(page);
  await expect(seed).toHaveValue(kept);
});
