// The page around the clip: wrong input at each control, keyboard, accessibility, small screens, what lies beside it. What it
// remembers is remembered.spec.ts's.
import { readFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { ended, expect, generate, makeClip, open, progressBar, test } from './flipbook';

const wrong = [
  ['Prompt', '', /Prompt is empty/],
  ['Prompt', 'a'.repeat(10_000), /10000 characters; at most 500/],
  ['Steps', '0', /Steps is “0”.*from 1 to 200/],
  ['Steps', '-1', /Steps is “-1”/],
  ['Steps', '1e9', /Steps is “1e9”/],
  ['Steps', 'abc', /Steps is “abc”/],
  ['Seed', '1.5', /Seed is “1.5”/],
  ['Guidance', 'much', /Guidance is “much”/],
  ['Frames', '7', /Frames is “7”.*Try 8/],
  ['Background', 'red', /Background is “red”/],
] as const;

test('wrong input is explained at its control, and nothing is lost', async ({ page }) => {
  await open(page);
  for (const [label, value, message] of wrong) {
    await test.step(`${label} = ${JSON.stringify(value.slice(0, 12))}`, async () => {
      const control = page.getByLabel(label, { exact: true });
      const right = await control.inputValue();
      await control.fill(value);
      await generate(page);
      await expect(control).toBeFocused();
      await expect(control).toHaveAttribute('aria-invalid', 'true');
      await expect(control).toHaveAccessibleDescription(message);
      await expect(control).toHaveValue(value);
      await expect(progressBar(page)).toHaveCount(0);
      await control.fill(right);
      await expect(control).toHaveAttribute('aria-invalid', 'false');
    });
  }
});

test('an unknown sampler in a link is explained', async ({ page }) => {
  await open(page, { sampler: 'plms' });
  await expect(page.getByLabel('Sampler')).toHaveAccessibleDescription(/Sampler is “plms”/);
});

test('the keyboard alone: arrows step, Enter or Ctrl+Enter generates, Escape cancels', async ({ page }) => {
  await open(page, { steps: '199' });
  await page.getByLabel('Steps').focus();
  await page.keyboard.press('ArrowUp');
  await expect(page.getByLabel('Steps')).toHaveValue('200');
  await page.keyboard.press('ArrowUp');
  await expect(page.getByLabel('Steps')).toHaveValue('200');
  await page.getByLabel('Frames').focus();
  await page.keyboard.press('ArrowUp');
  await expect(page.getByLabel('Frames')).toHaveValue('8');
  for (const keys of ['Enter', 'Control+Enter']) {
    await page.getByLabel('Frames').press(keys);
    await expect(progressBar(page)).toBeVisible();
    await page.keyboard.press('Escape');
    await ended(page);
    // Right after Cancel, what might be meant for it begins nothing.
    await expect(page.getByRole('button', { name: 'Generate' })).toHaveAttribute('aria-disabled', 'false');
  }
  // While characters are chosen with an input method, the same keys are the method's.
  await page.getByLabel('Prompt').dispatchEvent('keydown', { key: 'Enter', ctrlKey: true, isComposing: true });
  expect(await progressBar(page).count()).toBe(0);
  await page.getByLabel('Prompt').focus();
  const prompt = await page.getByLabel('Prompt').inputValue();
  await page.keyboard.press('Enter'); // Alone, it does the same there, and no new line.
  await expect(progressBar(page)).toBeVisible();
  await expect(page.getByLabel('Prompt')).toHaveValue(prompt);
  await page.getByLabel('Prompt').dispatchEvent('keydown', { key: 'Escape', isComposing: true });
  await page.waitForTimeout(500);
  await expect(progressBar(page)).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).focus();
  await page.keyboard.press('Escape');
  await ended(page);
  await expect(page.getByRole('button', { name: 'Generate' })).toBeFocused(); // Cancel is gone.
  await page.getByLabel('Prompt').focus();
  const stops: string[] = [];
  for (let i = 0; i < 30; i++) {
    await page.keyboard.press('Tab');
    stops.push(
      await page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent?.trim() || ''),
    );
  }
  for (const stop of ['Generate', 'steps', 'frames', 'guidance', 'sampler', 'seed', 'background'])
    expect(stops).toContain(stop);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`no accessibility violations, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await open(page, { steps: 'abc' });
    const scan = async () =>
      (await new AxeBuilder({ page }).analyze()).violations.map(({ id, nodes }) => [id, nodes[0]?.html]);
    expect(await scan()).toEqual([]);
    await page.getByLabel('Steps').fill('1');
    await makeClip(page);
    expect(await scan()).toEqual([]);
    await page.reload();
    await expect(page.getByRole('region', { name: 'Earlier clips' })).toBeVisible();
    expect(await scan()).toEqual([]);
  });
}

test.describe('a phone', () => {
  test.use({ viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true });

  test('no sideways scrolling, with a full shelf too; everything within reach, no word of keys', async ({ page }) => {
    const width = () => page.evaluate(() => document.documentElement.scrollWidth);
    await open(page);
    expect(await width()).toBe(360);
    await makeClip(page);
    const kept = () => page.evaluate(async () => (await (await caches.open('flipbook-clips')).keys()).length);
    await expect.poll(kept).toBe(1);
    await page.evaluate(async () => {
      const cache = await caches.open('flipbook-clips');
      const [clip] = await cache.keys();
      for (const name of ['1', '2', '3', '4']) {
        const copy = clip && (await cache.match(clip));
        if (copy) await cache.put(new URL(`clips/${name}`, document.baseURI), copy);
      }
    });
    await page.reload();
    await expect(page.locator('.shelf li')).toHaveCount(5);
    expect(await width()).toBe(360);
    for (const name of ['Generate', 'Next page', 'Copy link', 'Download MP4', 'Roll dice']) {
      const box = await page.getByRole('button', { name }).boundingBox();
      expect(box?.x).toBeGreaterThanOrEqual(0);
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(360);
      expect(box?.height).toBeGreaterThanOrEqual(36);
    }
    await page.getByLabel('Steps').fill('50');
    await generate(page);
    await expect(page.getByRole('button', { name: 'Cancel' })).toBeVisible();
    await expect(page.getByText('Escape cancels.')).toHaveCount(1);
    await expect(page.getByText('Escape cancels.')).toBeHidden();
  });
});

test('a link that is dropped beside the text fields does not take the page away', async ({ page }) => {
  await open(page);
  const isRefused = (selector: string) =>
    page.evaluate((at) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.setData('text/uri-list', 'https://example.org/');
      return ['dragover', 'drop'].map((type) => {
        const event = new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true });
        document.querySelector(at)?.dispatchEvent(event);
        return event.defaultPrevented;
      });
    }, selector);
  expect(await isRefused('.book')).toEqual([true, true]);
  expect(await isRefused('#prompt')).toEqual([false, false]);
});

test('how long a clip takes is said once one was made', async ({ page }) => {
  await open(page);
  await expect(page.locator('.go .help')).not.toContainText('About');
  await generate(page);
  await expect(progressBar(page)).toHaveAttribute('aria-valuetext', /estimating the time left/);
  await ended(page);
  await expect(page.locator('.go .help')).toContainText(/^(About .*|Under a second) here/);
});

test('the licences of all that the page is made with lie beside it', async ({ page }) => {
  await open(page);
  const link = page.getByRole('link', { name: 'licences of its parts' });
  const texts = await (await page.request.get(await link.evaluate((a: HTMLAnchorElement) => a.href))).text();
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
  const parts = texts.replace('\uFEFF', '').split(`\n${'-'.repeat(80)}\n\n`);
  const titles = parts.map((part) => part.split(' (')[0]);
  expect(titles).toEqual(
    expect.arrayContaining(Object.entries(dependencies).map((dependency) => dependency.join(' '))),
  );
  for (const part of parts) {
    expect(part).toMatch(/copyright/i);
    expect(part).not.toContain('brings no text');
  }
});

test('what stands below the book, and beside it, keeps its place while a clip is made', async ({ page }) => {
  await open(page, { steps: '30', frames: '24' });
  const places = async () => {
    const boxes = ['.transport', '.settings'].map((selector) => page.locator(selector).boundingBox());
    return (await Promise.all(boxes)).map((box) => Math.round(box?.y ?? 0));
  };
  await makeClip(page); // Before the first, the model's size is told, in more lines.
  const before = await places();
  await generate(page);
  await expect(progressBar(page)).toBeVisible();
  expect(await places()).toEqual(before);
  await ended(page);
  expect(await places()).toEqual(before);
});

test('the book stays in view beside the settings and earlier clips, above the footer', async ({ page }) => {
  await page.setViewportSize({ width: 1280, height: 800 });
  await open(page);
  await makeClip(page);
  await makeClip(page);
  await page.locator('#background').evaluate((field) => field.scrollIntoView({ block: 'center' }));
  await expect(page.locator('.book')).toBeInViewport({ ratio: 1 });
  await page.locator('footer').scrollIntoViewIfNeeded();
  const parts = ['.pinned', '.shelf', 'footer'].map((each) => page.locator(each).boundingBox());
  const [pinned, shelf, footer] = await Promise.all(parts);
  expect(pinned!.x + pinned!.width).toBeLessThan(shelf!.x);
  expect(pinned!.y + pinned!.height).toBeLessThan(footer!.y);
});

test('the model card is a page; an address that is none is told as such', async ({ page }) => {
  await open(page);
  await page.getByRole('link', { name: 'Model card' }).evaluate((link: HTMLAnchorElement) => {
    link.target = '';
    link.click();
  });
  await expect(page.getByRole('heading', { name: 'How good it is' })).toBeVisible();
  await expect(page.getByRole('table')).not.toHaveCount(0);
  expect((await page.request.get('/nope')).status()).toBe(404);
});

test('strict headers and no console errors', async ({ page }) => {
  const problems: string[] = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(error.message));
  const response = await page.goto('/');
  expect(response?.headers()['content-security-policy']).toContain("script-src 'self';");
  await expect(page.locator('footer')).toContainText(/through WebGPU/);
  expect(problems).toEqual([]);
});
