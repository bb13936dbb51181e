// Cancel as a visitor feels it, in each part of the work: from the click to a page that is ready, and what the GPU still gets.
import type { Locator, Page } from '@playwright/test';
import { expect, generate, inWorker, open, progressBar, test } from './flipbook';

/** Milliseconds that a GPU is allowed. A software adapter shares its processor with everything else: there submits count. */
const allowed = process.env.FLIPBOOK_GPU === 'hardware' ? 200 : 20_000;

/** Counts submits of commands from the moment that the engine's worker is told to cancel. */
const counter = `
  let submits = 0, before;
  const submit = GPUQueue.prototype.submit;
  GPUQueue.prototype.submit = function (...buffers) { if (buffers[0].length > 0) submits++; return submit.apply(this, buffers); };
  addEventListener('message', ({ data }) => { if (data?.path?.[0] === 'cancel') before = submits; });
  const channel = new BroadcastChannel('submits');
  channel.onmessage = () => channel.postMessage(submits - before)`;

/** Clicks Cancel once the progress says so. @returns milliseconds until the page has said that it is done */
const cancelAt = (page: Page, words: string) =>
  page.evaluate(
    (wanted) =>
      new Promise<number>((resolve) => {
        let clicked = 0;
        const look = () => {
          const text = document.querySelector('[role=progressbar]')?.getAttribute('aria-valuetext') ?? '';
          if (!clicked && new RegExp(wanted).test(text)) {
            clicked = performance.now();
            document.querySelector<HTMLElement>('.go .cancel')?.click();
          }
          const isOver = document.querySelector('[role=progressbar]') === null;
          if (!clicked || !isOver || document.querySelector('.note')?.textContent?.trim() !== 'Cancelled.') return;
          observer.disconnect();
          resolve(performance.now() - clicked);
        };
        const observer = new MutationObserver(look);
        observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
        look();
      }),
    words,
  );

const submitsAfter = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const channel = new BroadcastChannel('submits');
        channel.onmessage = ({ data }) => resolve(data);
        channel.postMessage(null);
      }),
  );

test('cancel: at most the submit that is running is waited for, whatever is under way', async ({ page }) => {
  await inWorker(page, counter);
  await open(page, { steps: '200', frames: '8' });
  const parts = [
    ['compiling', 'Preparing the GPU: [1-9]', {}],
    ['the picture', 'picture: step [3-9]', {}],
    ['the clip', 'move: step [1-9]', { steps: '30' }],
    ['the frames', 'Inking the pages: [2-9]', { steps: '1', frames: '144' }],
    ['the frames of a story', 'Inking the pages: [2-9]', { prompt: 'egg > hatching chick > rooster' }],
  ] as const;
  for (const [part, words, form] of parts) {
    await test.step(part, async () => {
      for (const [field, value] of Object.entries(form)) await page.locator(`#${field}`).fill(value);
      await generate(page);
      const milliseconds = await cancelAt(page, words);
      console.log(`  cancelled in ${part}: ${Math.round(milliseconds)} ms`);
      expect(milliseconds).toBeLessThan(allowed);
      expect(await submitsAfter(page)).toBeLessThanOrEqual(1);
    });
  }
});

/** Resolves as soon as no clip is in the making: an expectation may look again only after the rest that a second click has. */
const over = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (document.querySelector('[role=progressbar]')) return;
          observer.disconnect();
          resolve();
        };
        const observer = new MutationObserver(look);
        observer.observe(document.body, { subtree: true, childList: true });
        look();
      }),
  );

const centre = async (button: Locator) => {
  const { x, y, width, height } = (await button.boundingBox())!;
  return { x: x + width / 2, y: y + height / 2 };
};

for (const width of [1280, 360]) {
  test(`a double click on Cancel, on a page ${width} pixels wide, cancels, and begins nothing`, async ({ page }) => {
    await page.setViewportSize({ width, height: 480 });
    await open(page, { steps: '200', frames: '8' });
    await generate(page);
    await expect(progressBar(page)).toHaveAttribute('aria-valuetext', /step [1-9]/, { timeout: 60_000 });
    const cancel = page.getByRole('button', { name: 'Cancel' });
    const begin = page.getByRole('button', { name: 'Generate' });
    await cancel.scrollIntoViewIfNeeded();
    const { x, y } = await centre(cancel);
    // On a narrow page Cancel floats: here above Generate. On a wide one they are side by side, and nothing is scrolled.
    await page.evaluate((by) => scrollBy(0, by), (await centre(begin)).y - y);
    await page.mouse.click(x, y);
    await over(page);
    await page.mouse.click(x, y);
    expect(await begin.getAttribute('aria-disabled'), 'the second click came within the rest').toBe('true');
    await expect(page.locator('.note')).toHaveText('Cancelled.'); // A clip that begins takes these words away.
    await expect(begin).toHaveAttribute('aria-disabled', 'false');
    await expect(progressBar(page)).toHaveCount(0);
    const isThere = ([left, top]: readonly [number, number]) =>
      document.elementFromPoint(left, top)?.closest('.generate') != null;
    expect(await page.evaluate(isThere, [x, y] as const), 'Generate is where Cancel was').toBe(true);
  });
}
