// What can go missing: weights, WebGPU, the encoder, the device. Each ends in plain words and a page that still works.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  download,
  ended,
  expect,
  generate,
  inWorker,
  makeClip,
  modelFiles,
  open,
  pixels,
  probe,
  serveTiny,
  short,
  test,
} from './flipbook';

const notice = '.notice';
const denoiser = await readFile(fileURLToPath(new URL('../fixtures/tiny/denoiser.safetensors', import.meta.url)));
const altered = Buffer.from(denoiser);
altered[altered.length - 100] = (altered[altered.length - 100] ?? 0) ^ 1;

for (const [what, answer] of [
  ['missing', { status: 404, body: 'no such file' }],
  ['truncated', { body: denoiser.subarray(0, denoiser.length >> 1) }],
  ['altered', { body: altered }],
] as const) {
  test(`a weight file that is ${what}`, async ({ page }) => {
    let broken = true;
    await page.route(modelFiles, (route) =>
      broken && route.request().url().endsWith('denoiser.safetensors') ? route.fulfill(answer) : serveTiny(route),
    );
    await open(page);
    await generate(page);
    await expect(page.locator(notice)).toContainText('The model could not be loaded', { timeout: 60_000 });
    await expect(page.locator(notice)).toContainText('denoiser.safetensors');
    broken = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await ended(page);
    await expect(page.locator(notice)).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'Download MP4' })).toBeEnabled();
  });
}

test('a browser that cannot read the page’s script is told which ones can; in others those words go', async ({
  page,
}) => {
  const words = page.getByText('this browser is too old for it');
  const script = '**/assets/index-*.js';
  await page.route(script, (route) => route.fulfill({ contentType: 'text/javascript', body: '/(?<' }));
  await page.goto('/');
  await expect(words).toBeVisible();
  await page.unroute(script);
  await page.reload();
  await expect(page.getByRole('button', { name: 'Generate' })).toBeVisible();
  await expect(words).toHaveCount(0);
});

test('no WebGPU: advice for the browser at hand, and a form that still works', async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined });
  });
  await open(page);
  await expect(page.locator(notice)).toContainText('This browser has no WebGPU');
  await expect(page.locator(notice)).toContainText('Chrome');
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await expect(page.locator(notice)).toHaveCount(0);
  await page.getByLabel('Prompt').fill('a rocket');
  await generate(page);
  await expect(page.locator(notice)).toContainText('This browser has no WebGPU');
  await page.getByRole('button', { name: 'Copy link' }).click();
  await expect(page).toHaveURL(/prompt=a\+rocket/);
});

test('no graphics adapter, until there is one', async ({ page }) => {
  await inWorker(
    page,
    `const request = GPU.prototype.requestAdapter;
     GPU.prototype.requestAdapter = async () => null;
     new BroadcastChannel('plug').onmessage = ({ target }) => {
       GPU.prototype.requestAdapter = request;
       target.postMessage(null);
     }`,
  );
  await open(page);
  await expect(page.locator(notice)).toContainText('No graphics adapter answered');
  await expect(page.locator('footer')).toContainText('No graphics adapter at the moment');
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        const channel = new BroadcastChannel('plug');
        channel.onmessage = resolve;
        channel.postMessage(null);
      }),
  );
  await page.getByRole('button', { name: 'Try again' }).click();
  await ended(page);
  await expect(page.locator('footer')).toContainText('through WebGPU');
  await expect(page.getByRole('button', { name: 'Download MP4' })).toBeEnabled();
});

test('a worker that stops midway: said so, and Try again goes on with another', async ({ page }) => {
  await inWorker(page, `new BroadcastChannel('stop').onmessage = () => { throw new Error('on purpose') }`);
  await open(page);
  await makeClip(page);
  const before = pixels((await download(page)).path);
  await page.getByLabel('Steps').fill('200');
  await generate(page);
  await expect(page.getByRole('progressbar')).toHaveAttribute('aria-valuetext', /step \d+ of 200/, { timeout: 60_000 });
  await page.evaluate(() => new BroadcastChannel('stop').postMessage(null));
  await expect(page.locator(notice)).toContainText('The engine stopped');
  await expect(page.locator(notice)).toContainText('on purpose');
  expect(pixels((await download(page)).path)).toBe(before);
  await page.getByLabel('Steps').fill('1');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('button', { name: 'Generate' })).toBeFocused();
  await ended(page);
  await expect(page.locator(notice)).toHaveCount(0);
  expect(pixels((await download(page)).path)).toBe(before);
});

test('Cancel does not wait for a worker that takes its time to start', async ({ page }) => {
  await inWorker(page, `new BroadcastChannel('stop').onmessage = () => { throw new Error('on purpose') }`);
  await open(page);
  await expect.poll(() => page.workers().length).toBe(1);
  await expect
    .poll(async () => {
      await page.evaluate(() => new BroadcastChannel('stop').postMessage(null));
      return page.workers().length;
    })
    .toBe(0);
  const held: (() => Promise<void>)[] = [];
  await page.route('**/assets/worker-*.js', (route) => void held.push(() => route.continue()));
  await generate(page);
  await expect.poll(() => held.length).toBe(1);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.locator('.note')).toHaveText('Cancelled.');
  await Promise.all(held.map((letGo) => letGo()));
  await makeClip(page);
});

test('no encoder: the clip plays and can be saved as PNG and APNG', async ({ page }) => {
  await inWorker(page, 'delete self.VideoEncoder');
  await open(page);
  await generate(page);
  await ended(page);
  await expect(page.locator(notice)).toContainText('No MP4 this time');
  await expect(page.locator(notice)).toContainText('plays here until the next one is finished or you leave the page');
  await expect(page.locator('footer')).toContainText('Your last clip is not stored: it has no MP4.');
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await page.getByRole('button', { name: 'Download MP4' }).click(); // Asked for again, it says so again.
  await expect(page.locator(notice)).toContainText('No MP4 this time');
  const { path } = await download(page, 'Save PNG');
  expect((await readFile(path)).subarray(1, 4).toString()).toBe('PNG');
  await expect(page.locator(notice)).toContainText('Download APNG has the whole loop');
  const loop = await download(page, 'Download APNG');
  expect(probe(loop.path)).toMatchObject({ codec: 'apng', frames: Number(short.frames) });
});

test('an encoder that fails midway: the frames stay, and Download MP4 encodes them once more', async ({ page }) => {
  await inWorker(
    page,
    `let hasFailed = false;
    const encode = VideoEncoder.prototype.encode;
    VideoEncoder.prototype.encode = function (frame, options) {
      if (hasFailed || frame.timestamp === 0) return encode.call(this, frame, options);
      hasFailed = true;
      throw new DOMException('taken away', 'OperationError');
    }`,
  );
  await open(page);
  await generate(page);
  await ended(page);
  await expect(page.locator(notice)).toContainText('taken away');
  await expect(page.locator(notice)).toContainText('Press Download MP4 to try again');
  const { path } = await download(page);
  expect(probe(path).frames).toBe(Number(short.frames));
  await expect(page.locator(notice)).toHaveCount(0);
});

const destroyable = `const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...args) { return (self.lastDevice = await request.apply(this, args)); };
  new BroadcastChannel('destroy').onmessage = () => self.lastDevice.destroy()`;

test('a device destroyed while a finished clip is shown: its MP4 plays instead, and the next clip is drawn as ever', async ({
  page,
}) => {
  await inWorker(page, destroyable);
  await open(page);
  await makeClip(page);
  const before = pixels((await download(page)).path);
  await page.evaluate(() => new BroadcastChannel('destroy').postMessage(null));
  await expect(page.locator('.note')).toContainText('you are seeing its MP4');
  const video = page.locator('.leaf video');
  await expect.poll(() => video.evaluate((element: HTMLVideoElement) => element.currentTime)).toBeGreaterThan(0.05);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect.poll(() => video.evaluate((element: HTMLVideoElement) => element.paused)).toBe(true);
  await expect(page.getByRole('button', { name: 'Save PNG' })).toBeDisabled();
  await makeClip(page);
  await expect(video).toHaveCount(0);
  await expect(page.locator('.screen canvas')).toBeVisible();
  expect(pixels((await download(page)).path)).toBe(before);
});

test('a device destroyed midway: said so, and the next clip is the same as ever', async ({ page }) => {
  await inWorker(page, destroyable);
  await open(page);
  await makeClip(page);
  const before = pixels((await download(page)).path);
  await page.getByLabel('Steps').fill('200');
  await generate(page);
  await expect(page.getByRole('progressbar')).toHaveAttribute('aria-valuetext', /step \d+ of 200/, { timeout: 60_000 });
  await page.evaluate(() => new BroadcastChannel('destroy').postMessage(null));
  await expect(page.locator(notice)).toContainText('The graphics device went away', { timeout: 30_000 });
  expect(pixels((await download(page)).path)).toBe(before);
  await page.getByLabel('Steps').fill('1');
  await page.getByRole('button', { name: 'Try again' }).click();
  await ended(page);
  await expect(page.locator(notice)).toHaveCount(0);
  expect(pixels((await download(page)).path)).toBe(before);
});
