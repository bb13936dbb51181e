// A sketch as the start picture: drawn on the page's pad or given as a file, and the sticker that the prompt makes of it.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import {
  disc,
  download,
  ended,
  expect,
  generate,
  makeClip,
  open,
  pixels,
  progressBar,
  stages,
  test,
  xmp,
} from './flipbook';

const sheet = (page: Page) => page.getByRole('dialog', { name: 'Draw a sketch' });
const press = (page: Page, name: string) => sheet(page).getByRole('button', { name, exact: true }).click();

/** A line on the pad, in shares of its side. */
async function stroke(page: Page, from: readonly [number, number], to: readonly [number, number]): Promise<void> {
  const { x, y, width, height } = (await sheet(page).locator('canvas').boundingBox()) ?? {
    x: 0,
    y: 0,
    width: 0,
    height: 0,
  };
  await page.mouse.move(x + from[0] * width, y + from[1] * height);
  await page.mouse.down();
  await page.mouse.move(x + to[0] * width, y + to[1] * height, { steps: 8 });
  await page.mouse.up();
}

/** The pad's pixels of this colour, in percent; white and what is erased count as nothing. */
const share = (page: Page, [red, green, blue]: readonly [number, number, number]) =>
  sheet(page)
    .locator('canvas')
    .evaluate(
      (canvas: HTMLCanvasElement, color) => {
        const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
        let count = 0;
        for (let i = 0; i < data.length; i += 4) {
          if (data[i + 3] === 255 && color.every((value, c) => Math.abs(value - (data[i + c] ?? 0)) < 4)) count++;
        }
        return (400 * count) / data.length;
      },
      [red, green, blue],
    );
const black = [29, 26, 23] as const;
const red = [224, 64, 42] as const;

test('a drawing becomes a sketch, which the prompt draws anew; the file and the link say so', async ({ page }) => {
  await open(page, { frames: '4', prompt: 'a rocket' });
  await makeClip(page);
  const words = pixels((await download(page)).path);

  await page.getByRole('button', { name: 'Draw one' }).click();
  await stroke(page, [0.2, 0.2], [0.8, 0.8]);
  const medium = await share(page, black);
  expect(medium).toBeGreaterThan(1);
  await press(page, 'Broad');
  await press(page, 'Red');
  await stroke(page, [0.2, 0.8], [0.8, 0.8]);
  expect(await share(page, red)).toBeGreaterThan(2 * medium);
  await press(page, 'Undo');
  expect(await share(page, red)).toBe(0);
  // Drawn again from its points a line has slightly other edges.
  expect(Math.abs((await share(page, black)) - medium)).toBeLessThan(0.2);
  await press(page, 'Eraser');
  await stroke(page, [0.5, 0.5], [0.55, 0.55]);
  expect(await share(page, black)).toBeLessThan(medium);
  await press(page, 'Use this drawing');

  await expect(sheet(page)).toBeHidden();
  await expect(page.locator('.picture .words')).toHaveText('Drawing');
  await expect(page.getByRole('radio', { name: 'Sketch' })).toBeChecked();
  const seen = await stages(page);
  await makeClip(page);
  expect(await seen()).toEqual(['picture']);
  await expect(page.locator('.caption')).toContainText('from a sketch');
  const { path } = await download(page);
  expect(pixels(path)).not.toBe(words);
  expect(xmp(path)).toMatchObject({
    Redraw: 'all',
    Prompt: 'a rocket',
    Picture: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  await page.getByRole('button', { name: 'Copy link' }).click();
  expect(new URLSearchParams(new URL(page.url()).hash.slice(1)).get('redraw')).toBe('all');
  await page.reload();
  await expect(page.getByRole('radio', { name: 'Sketch' })).toBeChecked();
  // The drawing is nowhere else but with its clip.
  await page.locator('.picture').getByRole('button', { name: 'Remove' }).click();
  await expect(page.locator('.picture .words')).not.toHaveText('Drawing');
  await page.locator('.shelf').getByRole('button', { name: 'Use its settings' }).first().click();
  await expect(page.locator('.picture .words')).toHaveText('Drawing');
  await makeClip(page);
  expect(pixels((await download(page)).path)).toBe(pixels(path));
});

test('the pad: Escape leaves it, its strokes wait, nothing drawn is nothing used; a file can be a sketch, too', async ({
  page,
}) => {
  await page.setViewportSize({ width: 360, height: 640 });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page, { frames: '4', prompt: '' });
  const opener = page.getByRole('button', { name: 'Draw one' });
  await opener.click();
  await expect(sheet(page).getByRole('button', { name: 'Use this drawing' })).toBeDisabled();
  await stroke(page, [0.3, 0.3], [0.7, 0.3]);
  const drawn = await share(page, black);
  await page.keyboard.press('Escape');
  await expect(sheet(page)).toBeHidden();
  await expect(opener).toBeFocused();
  await expect(page.getByRole('radio', { name: 'Sketch' })).toHaveCount(0);
  await opener.click();
  expect(await share(page, black)).toBe(drawn);
  await page.reload();
  await opener.click();
  expect(Math.abs((await share(page, black)) - drawn)).toBeLessThan(0.2);
  const box = await sheet(page).boundingBox();
  expect(box?.x).toBeGreaterThanOrEqual(0);
  expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(360);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
  await press(page, 'Clear');
  expect(await share(page, black)).toBe(0);
  await press(page, 'Undo');
  expect(Math.abs((await share(page, black)) - drawn)).toBeLessThan(0.2);
  await press(page, 'Clear');
  await press(page, 'Cancel');

  await page.getByLabel('Start picture').setInputFiles(await disc(page, 'red'));
  await page.getByRole('radio', { name: 'Sketch' }).check();
  await generate(page);
  await expect(page.getByLabel('Prompt')).toHaveAccessibleDescription(/Prompt is empty/);
});

test('keys that are pressed in the pad start no clip, and cancel none', async ({ page }) => {
  await open(page, { steps: '200', prompt: 'a rocket' });
  const opener = page.getByRole('button', { name: 'Draw one' });
  await opener.click();
  await page.keyboard.press('Control+Enter');
  await page.waitForTimeout(500);
  await expect(progressBar(page)).toHaveCount(0);
  await press(page, 'Cancel');
  await generate(page);
  await expect(progressBar(page)).toBeVisible();
  await opener.click();
  await page.keyboard.press('Escape');
  await expect(sheet(page)).toBeHidden();
  await page.waitForTimeout(500);
  await expect(progressBar(page)).toBeVisible();
  await page.keyboard.press('Escape');
  await ended(page);
});
