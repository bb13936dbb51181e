// A part of the start picture drawn anew: a box by pointer or keys, what it does to the clip, what is told where it is wrong.
import { createHash } from 'node:crypto';
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { disc, download, expect, generate, makeClip, open, pixels, stages, test, xmp } from './flipbook';

const redraw = (page: Page) => page.getByLabel('Box to redraw');
const use = (page: Page, name: string) => page.getByRole('radio', { name });
const startPicture = (page: Page) => page.getByLabel('Start picture');

/** Drags on the picture from one cell of its 16 by 16 grid to another. */
async function drag(page: Page, from: readonly [number, number], to: readonly [number, number]): Promise<void> {
  const pad = page.locator('.pad');
  await pad.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await pad.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const at = ([column, row]: readonly [number, number]) =>
    [x + ((column + 0.5) * width) / 16, y + ((row + 0.5) * height) / 16] as const;
  await page.mouse.move(...at(from));
  await page.mouse.down();
  await page.mouse.move(...at(to), { steps: 4 });
  await page.mouse.up();
}

test('a box is dragged, its inside is drawn from the prompt, and the file says so', async ({ page }) => {
  await open(page, { frames: '8', prompt: 'a rocket' });
  await expect(redraw(page)).toHaveCount(0);
  const picture = await disc(page, 'red');
  await startPicture(page).setInputFiles(picture);
  await expect(use(page, 'First frame')).toBeChecked();
  const seen = await stages(page);
  await makeClip(page);
  const whole = pixels((await download(page)).path);
  expect(await seen()).toEqual(['clip']);

  await use(page, 'Redraw a part').check();
  await expect(redraw(page)).toHaveValue('4,4,8,8');
  await drag(page, [11, 12], [4, 6]); // backwards works too
  await expect(redraw(page)).toHaveValue('4,6,8,7');
  await use(page, 'First frame').check();
  await use(page, 'Redraw a part').check();
  await expect(redraw(page)).toHaveValue('4,6,8,7');
  await makeClip(page);
  expect((await seen()).sort()).toEqual(['clip', 'picture']);
  const { path } = await download(page);
  expect(pixels(path)).not.toBe(whole);
  const sha256 = createHash('sha256').update(picture.buffer).digest('hex');
  expect(xmp(path)).toMatchObject({ Picture: sha256, Redraw: '4,6,8,7', Prompt: 'a rocket' });
  await expect(page.locator('.caption')).toContainText('a part redrawn');

  await page.getByRole('button', { name: 'Copy link' }).click();
  expect(new URLSearchParams(new URL(page.url()).hash.slice(1)).get('redraw')).toBe('4,6,8,7');
  await page.reload();
  await expect(redraw(page)).toHaveValue('4,6,8,7');
  await drag(page, [2, 2], [2, 2]); // a tap, as a scroll may begin with
  await expect(redraw(page)).toHaveValue('4,6,8,7');
});

test('typed with the keyboard it is the same; mistakes and a missing prompt are told at the control', async ({
  page,
}) => {
  await open(page, { frames: '4', prompt: 'a rocket' });
  await startPicture(page).setInputFiles(await disc(page, 'red'));
  await use(page, 'First frame').focus();
  await page.keyboard.press('ArrowDown');
  await expect(use(page, 'Redraw a part')).toBeChecked();
  await redraw(page).fill('9 9 8 8');
  await generate(page);
  await expect(redraw(page)).toBeFocused();
  await expect(redraw(page)).toHaveAccessibleDescription(/“9 9 8 8”.*grid of 16 by 16.*Try 4,4,8,8/);
  await expect(page.locator('.pad .box')).toHaveCount(0);
  await redraw(page).fill('4 4 8 8');
  await expect(page.locator('.pad .box')).toBeVisible();
  await page.getByLabel('Prompt').fill('');
  await generate(page);
  await expect(page.getByLabel('Prompt')).toHaveAccessibleDescription(/Prompt is empty/);
  await page.getByLabel('Prompt').fill('a rocket');
  // Four frames are one picture, which is drawn: that is a clip of its own.
  await makeClip(page);
  await use(page, 'First frame').check();
  await expect(redraw(page)).toHaveCount(0);
  await generate(page);
  await expect(page.getByLabel('Frames')).toHaveAccessibleDescription(/from 8 to \d+ with a start picture/);
});

test('on a phone: nothing overflows, no accessibility violations', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 640 });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page);
  await startPicture(page).setInputFiles(await disc(page, 'red'));
  await use(page, 'Redraw a part').check();
  await drag(page, [3, 3], [9, 9]);
  await expect(redraw(page)).toHaveValue('3,3,7,7');
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  for (const target of [redraw(page), page.locator('.uses label').first(), page.locator('.uses label').last()]) {
    const box = await target.boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(36);
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(360);
  }
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
});
