// A clip that starts from a visitor's picture: chosen, dropped, pasted or kept from a clip; and everything that is no picture.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import {
  disc,
  download,
  expect,
  generate,
  makeClip,
  modelFiles,
  open,
  pixels,
  serveTiny,
  stages,
  test,
  xmp,
} from './flipbook';

const text = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('not a picture') };
const control = (page: Page) => page.getByLabel('Start picture');
const remove = (page: Page) => page.getByRole('button', { name: 'Remove', exact: true });
const words = (page: Page) => page.locator('.drop .words');

/** Sends a file as the browser would: `type` of event, to the element of `target`. */
async function send(
  page: Page,
  type: string,
  target: string,
  file?: { name: string; mimeType: string; buffer: Buffer },
  copies = 1,
) {
  await page.evaluate(
    ([event, selector, given, count]) => {
      const data = new DataTransfer();
      for (let i = 0; given && i < count; i++) {
        const bytes = Uint8Array.from(atob(given.base64), (character) => character.charCodeAt(0));
        data.items.add(new File([bytes], given.name, { type: given.mimeType }));
      }
      const init = { bubbles: true, cancelable: true };
      const sent =
        event === 'paste'
          ? new ClipboardEvent(event, { ...init, clipboardData: data })
          : new DragEvent(event, { ...init, dataTransfer: data });
      document.querySelector(selector)?.dispatchEvent(sent);
    },
    [type, target, file && { ...file, buffer: undefined, base64: file.buffer.toString('base64') }, copies] as const,
  );
}

test('a chosen picture moves without a prompt; file, link and reload name it and never claim to bring it', async ({
  page,
  browser,
}) => {
  await open(page, { frames: '8' });
  await page.getByLabel('Prompt').fill('');
  const picture = await disc(page, 'red');
  const sha256 = createHash('sha256').update(picture.buffer).digest('hex');
  await control(page).setInputFiles(picture);
  await expect(words(page)).toHaveText('red.png');
  const seen = await stages(page);
  await makeClip(page);
  expect(await seen()).toEqual(['clip']);
  await expect(page).toHaveTitle('red.png · Flipbook');
  await expect(page.locator('.caption q')).toHaveText('red.png');
  const { path, file } = await download(page);
  expect(file.suggestedFilename()).toBe('red-png-7.mp4');
  expect(xmp(path)).toMatchObject({ Picture: sha256 });

  await control(page).setInputFiles(await disc(page, 'blue'));
  await expect(words(page)).toHaveText('blue.png');
  await makeClip(page);
  expect(pixels((await download(page)).path)).not.toBe(pixels(path));

  await page.getByRole('button', { name: 'Copy link' }).click();
  await expect(page.locator('.note')).toContainText('does not hold the start picture');
  const link = page.url();
  expect(link).toMatch(/picture=[0-9a-f]{64}&/);
  await page.reload();
  await expect(words(page)).toHaveText('blue.png');
  const elsewhere = await browser.newPage();
  await elsewhere.goto(link);
  await expect(remove(elsewhere)).toHaveCount(0);
  const isMissed = () =>
    expect(elsewhere.getByLabel('Start picture')).toHaveAccessibleDescription(
      /start from a picture that is not here \(SHA-256/,
    );
  await isMissed();
  await elsewhere.getByLabel('Prompt').fill('a crab');
  await elsewhere.getByRole('button', { name: 'Copy link' }).click();
  await expect(elsewhere.locator('.note')).toContainText('does not hold the start picture');
  expect(elsewhere.url()).toContain(/picture=[0-9a-f]{64}/.exec(link)?.[0]);
  await elsewhere.goto(new URL('/', link).href);
  await isMissed();
  await elsewhere.close();

  // The first clip's file brings its settings back, but not its picture.
  await send(page, 'drop', '.drop', { name: 'a.mp4', mimeType: 'video/mp4', buffer: Buffer.from('x') });
  await expect(control(page)).toHaveAccessibleDescription(/“a.mp4” is not a picture/);
  await page.getByLabel('open one').setInputFiles(path);
  await expect(page.locator('.note')).toContainText('The picture that it started from is not in it');
  await expect(remove(page)).toHaveCount(0);
  await control(page).setInputFiles(picture);
  await expect(control(page)).not.toHaveAccessibleDescription(/start from a picture that is not here \(SHA-256/);

  await remove(page).click();
  await expect(control(page)).toBeFocused();
  await generate(page);
  await expect(page.getByLabel('Prompt')).toHaveAccessibleDescription(/Prompt is empty/);
});

test('dropped or pasted anywhere it is taken; a dragged file is invited', async ({ page }) => {
  await open(page, { frames: '8' });
  const [red, blue, lime] = [await disc(page, 'red'), await disc(page, 'blue'), await disc(page, 'lime')];
  await send(page, 'dragenter', 'main', red);
  await send(page, 'dragover', 'main', red);
  await expect(words(page)).toHaveText('Drop it here to start from it');
  await expect(page.locator('.drop.over')).toHaveCount(0);
  await send(page, 'dragover', '.drop .target', red);
  await expect(page.locator('.drop.over')).toHaveCount(1);
  await send(page, 'dragleave', 'main', red);
  await expect(words(page)).toHaveText('Drop, paste or choose one');
  await send(page, 'drop', 'footer', red);
  await expect(words(page)).toHaveText('red.png');
  for (const kind of ['jpeg', 'webp']) {
    await send(page, 'drop', 'footer', await disc(page, 'navy', 200, 120, kind));
    await expect(words(page)).toHaveText(`navy.${kind}`);
  }
  await send(page, 'paste', 'body', blue);
  await expect(words(page)).toHaveText('blue.png');
  await send(page, 'paste', '#prompt', lime);
  await expect(words(page)).toHaveText('lime.png');
  await send(page, 'drop', 'footer', red, 3);
  await expect(page.locator('.note').last()).toHaveText('3 files at once: use the one that you want by itself.');
  await send(page, 'paste', 'body', red, 2);
  await expect(page.locator('#picture-error')).toContainText('2 files at once');
  await expect(words(page)).toHaveText('lime.png');
  await send(page, 'paste', 'body', red);
  await expect(words(page)).toHaveText('red.png');
  await expect(page.locator('.error')).toHaveCount(0);
});

test('what is no picture is explained, and the picture and the form stay', async ({ page }) => {
  await open(page, { prompt: 'a shy ghost' });
  const red = await disc(page, 'red');
  await control(page).setInputFiles(red);
  await expect(words(page)).toHaveText('red.png');
  for (const [file, message] of [
    [text, /“notes.txt” is not a picture that this browser can read. Use a PNG/],
    [{ ...text, name: 'fake.png', mimeType: 'image/png' }, /“fake.png” is not a picture/],
    [{ ...red, name: 'half.png', buffer: red.buffer.subarray(0, 40) }, /“half.png” is not a picture/],
    [{ ...red, name: 'empty.png', buffer: Buffer.alloc(0) }, /“empty.png” is empty/],
  ] as const) {
    await control(page).setInputFiles(file);
    await expect(control(page)).toHaveAccessibleDescription(message);
    await expect(control(page)).toHaveAttribute('aria-invalid', 'true');
    await expect(words(page)).toHaveText('red.png');
  }
  await send(page, 'drop', 'main', text);
  await expect(page.locator('.note')).toContainText('“notes.txt” is neither a picture nor a clip');
  await expect(page.getByLabel('Prompt')).toHaveValue('a shy ghost');
  await control(page).setInputFiles(red);
  await expect(control(page)).toHaveAttribute('aria-invalid', 'false');
  // Four frames are one latent frame: the picture itself.
  await generate(page);
  await expect(page.getByLabel('Frames')).toHaveAccessibleDescription(/from 8 to \d+ with a start picture. Try 8/);
});

test('a clip’s first page takes the place of another picture and its box, until that is undone, and moves again', async ({
  page,
}) => {
  await open(page, { frames: '8', prompt: 'a rocket' });
  await expect(page.getByRole('button', { name: 'Start from page 1' })).toBeDisabled();
  await control(page).setInputFiles(await disc(page, 'red'));
  await page.getByRole('radio', { name: 'Redraw a part' }).check();
  await makeClip(page);
  const before = pixels((await download(page)).path);
  const isPageOne = async () => {
    await expect(words(page)).toHaveText('First page of “a rocket”');
    await expect(page.getByRole('radio', { name: 'First frame' })).toBeChecked();
  };
  await page.getByRole('button', { name: 'Start from page 1' }).click();
  await isPageOne();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(words(page)).toHaveText('red.png');
  await expect(page.getByLabel('Box to redraw')).toHaveValue('4,4,8,8');
  await page.getByRole('button', { name: 'Undo' }).click(); // It goes forth again.
  await isPageOne();
  const saved = await download(page, 'Save it');
  expect(saved.file.suggestedFilename()).toBe('first-page-of-a-rocket.png');
  await page.getByLabel('Prompt').fill('a shaking rocket');
  const seen = await stages(page);
  await makeClip(page);
  expect(await seen()).toEqual(['clip']);
  const { path } = await download(page);
  expect(pixels(path)).not.toBe(before);
  const named = createHash('sha256').update(readFileSync(saved.path)).digest('hex');
  expect(xmp(path)).toMatchObject({ Picture: named, Prompt: 'a shaking rocket' });
});

test('an encoder that cannot be fetched is told, and words alone still work', async ({ page }) => {
  await page.route(modelFiles, (route) =>
    route.request().url().endsWith('encoder.safetensors') ? route.fulfill({ status: 404 }) : serveTiny(route),
  );
  await open(page, { frames: '8' });
  await control(page).setInputFiles(await disc(page, 'red'));
  await expect(words(page)).toHaveText('red.png');
  await generate(page);
  await expect(page.locator('.notice')).toContainText('encoder.safetensors', { timeout: 60_000 });
  await expect(words(page)).toHaveText('red.png');
  await remove(page).click();
  await makeClip(page);
});

test('on a phone, with a long name: nothing overflows, nothing is too small, no accessibility violations', async ({
  page,
}) => {
  await page.setViewportSize({ width: 360, height: 640 });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page);
  const picture = await disc(page, 'red');
  await control(page).setInputFiles({ ...picture, name: `${'a very long name '.repeat(4)}.png` });
  await expect(remove(page)).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  for (const target of [control(page), remove(page), page.getByRole('button', { name: 'Start from page 1' })]) {
    const box = await target.boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(36);
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(360);
  }
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
});
