// Turning the finished clip's pages: the one that is shown can be saved, outlasts what takes the canvas, and starts the next clip.
import { download, ended, expect, generate, makeClip, open, pixels, progressBar, test } from './flipbook';

test('the page that is shown is the one that is saved, also after Cancel and on another paper, and starts a clip', async ({
  page,
}) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page, { frames: '8', prompt: 'a rocket', background: '#ffffff' });
  await makeClip(page);
  const shows = (words: string) => expect(page.locator('.caption')).toContainText(words);
  const saved = async () => pixels((await download(page, 'Save PNG')).path);
  await shows('Page 1 of 8');
  const first = await saved();
  for (let turned = 0; turned < 3; turned++) await page.getByRole('button', { name: 'Previous page' }).click();
  await shows('Page 6 of 8');
  await page.keyboard.press('ArrowLeft');
  await shows('Page 5 of 8');
  const fifth = await saved();
  expect(fifth).not.toBe(first);

  await page.getByLabel('Steps').fill('200');
  await page.keyboard.press('ArrowLeft'); // In a field it is the field's.
  await generate(page);
  await expect(progressBar(page)).toHaveAttribute('aria-valuetext', /step \d+ of 200/, { timeout: 60_000 });
  await page.keyboard.press('Escape');
  await ended(page);
  await shows('Page 5 of 8');
  expect(await saved()).toBe(fifth);

  await page.getByRole('button', { name: 'Night paper' }).click();
  await download(page);
  await expect(progressBar(page)).toHaveCount(0);
  await shows('Page 5 of 8');
  expect(await saved()).not.toBe(fifth);
  await page.getByLabel('Background', { exact: true }).fill('#ffffff');
  expect(await saved()).toBe(fifth);

  await page.getByRole('button', { name: 'Start from this page' }).click();
  await expect(page.locator('#picture-words')).toHaveText('Page 5 of “a rocket”');
  await page.getByRole('button', { name: 'Next page' }).click();
  await shows('Page 6 of 8');
  expect(await saved()).not.toBe(fifth);
});
