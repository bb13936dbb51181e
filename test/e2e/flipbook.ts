// What the end-to-end tests share: the built page on the tiny model of test/fixtures, engine faults on purpose, and files read
// back by programs that are not ours. The tiny model has random weights: what is tested here is the page, not the pictures.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { test as base, type Download, expect, type Page, type Route } from '@playwright/test';
import { exiftool, ffmpeg, ffprobe } from '../tools.mjs';

export const tiny = fileURLToPath(new URL('../fixtures/tiny/', import.meta.url));
export const modelFiles = '**/models/sticker/*';

/** Answers for one file of the model from the fixtures. */
export function serveTiny(route: Route): Promise<void> {
  const name = new URL(route.request().url()).pathname.split('/').at(-1) ?? '';
  return route.fulfill({ path: `${tiny}${name}` });
}

/** `page` is the site with the tiny model; a request to any other host fails the test. */
export const test = base.extend<{ elsewhere: string[] }>({
  elsewhere: [
    async ({ context, baseURL }, use) => {
      const requests: string[] = [];
      context.on('request', (request) => {
        const url = request.url();
        if (/^(https?|wss?):/.test(url) && !url.startsWith(baseURL ?? '')) requests.push(url);
      });
      await context.route(modelFiles, serveTiny);
      await use(requests);
      expect(requests, 'requests to other hosts').toEqual([]);
    },
    { auto: true },
  ],
});
export { expect };

export const short = { steps: '1', frames: '4', seed: '7' };

/** Opens the page with a form that makes a clip in seconds, by a link as a visitor could. */
export async function open(page: Page, form: Record<string, string> = {}): Promise<void> {
  await page.goto(`/#${new URLSearchParams({ ...short, ...form })}`);
  await expect(page.getByRole('button', { name: 'Generate' })).toBeVisible();
}

/** Right after Cancel, as while a clip is made, a click begins nothing: the button says so. */
export async function generate(page: Page): Promise<void> {
  const button = page.getByRole('button', { name: 'Generate' });
  await expect(button).toHaveAttribute('aria-disabled', 'false');
  await button.click();
}

export const progressBar = (page: Page) => page.getByRole('progressbar');

/** Waits until the generation that was started has ended, one way or the other. */
export async function ended(page: Page): Promise<void> {
  await expect(progressBar(page)).toHaveCount(0, { timeout: 150_000 });
}

export async function makeClip(page: Page): Promise<void> {
  await generate(page);
  await expect(progressBar(page)).toBeVisible();
  await ended(page);
  await expect(page.locator('.notice')).toHaveCount(0);
}

export async function download(page: Page, name = 'Download MP4'): Promise<{ path: string; file: Download }> {
  const waiting = page.waitForEvent('download');
  await page.getByRole('button', { name }).click();
  const file = await waiting;
  return { path: await file.path(), file };
}

export interface Probe {
  readonly codec: string;
  readonly frames: number;
  /** Seconds. */
  readonly duration: number;
  readonly width: number;
}

export function probe(path: string): Probe {
  const asked = 'stream=codec_name,nb_read_frames,width:format=duration:frame=pkt_duration_time';
  const args = ['-v', 'error', '-count_frames', '-show_entries', asked, '-of', 'json', path];
  const { streams, format, frames } = JSON.parse(execFileSync(ffprobe(), args, { encoding: 'utf8' }));
  const [video] = streams;
  // An APNG says it of each frame alone.
  const shown: number = frames.reduce(
    (sum: number, frame: Record<string, string>) => sum + Number(frame.pkt_duration_time),
    0,
  );
  return {
    codec: video.codec_name,
    frames: Number(video.nb_read_frames),
    duration: Number(format.duration ?? shown),
    width: video.width,
  };
}

/** XMP properties of a file by exiftool. */
export function xmp(path: string): Record<string, unknown> {
  return JSON.parse(execFileSync(exiftool(), ['-j', '-XMP:all', path], { encoding: 'utf8' }))[0];
}

function decoded(path: string, filter: readonly string[] = [], format = 'rgb24'): Buffer {
  const args = ['-v', 'error', '-i', path, ...filter, '-f', 'rawvideo', '-pix_fmt', format, '-'];
  return execFileSync(ffmpeg(), args, { maxBuffer: 1 << 28 });
}

/** A digest of every decoded pixel. */
export function pixels(path: string): string {
  return createHash('sha256').update(decoded(path)).digest('hex');
}

/** The first picture, averaged to 16×16 RGB: colours survive a codec, noise does not. */
export function thumbnail(path: string): Uint8Array {
  return decoded(path, ['-frames:v', '1', '-vf', 'scale=16:16:flags=area']);
}

/** The alpha of the first picture's pixels. */
export function alphas(path: string): Uint8Array {
  return decoded(path, ['-frames:v', '1'], 'rgba').filter((_value, i) => i % 4 === 3);
}

export function meanDifference(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}

/** Runs `code` in the engine's worker before its own script. */
export async function inWorker(page: Page, code: string): Promise<void> {
  await page.route('**/assets/worker-*.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${code};\n${await response.text()}` });
  });
}

/** The stages that steps are told from, from now on. */
export async function stages(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const seen = new Set<string>();
    Reflect.set(window, 'seenStages', seen);
    addEventListener('flipbook', (event) => {
      const { type, stage } = Reflect.get(event, 'detail');
      if (type === 'step') seen.add(stage);
    });
  });
  return () => page.evaluate(() => [...Reflect.get(window, 'seenStages')]);
}

/** Collects the `done` events of the page from now on. */
export async function statistics(page: Page): Promise<() => Promise<{ stats: { bytesInUse: number } }[]>> {
  await page.evaluate(() => {
    const list: unknown[] = [];
    Reflect.set(window, 'finishedClips', list);
    addEventListener('flipbook', (event) => {
      const detail = Reflect.get(event, 'detail');
      if (detail.type === 'done') list.push(detail);
    });
  });
  return () => page.evaluate(() => Reflect.get(window, 'finishedClips'));
}

/** A picture with a disc of this colour on nothing. */
export async function disc(page: Page, color: string, width = 200, height = 120, kind = 'png') {
  const mimeType = `image/${kind}`;
  const base64 = await page.evaluate(
    async ([fill, w, h, type]) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: w, height: h });
      const context = canvas.getContext('2d');
      if (!context) throw new Error('no 2D canvas');
      context.fillStyle = fill;
      context.arc(w / 2, h / 2, h / 2, 0, 7);
      context.fill();
      return canvas.toDataURL(type).split(',')[1] ?? '';
    },
    [color, width, height, mimeType] as const,
  );
  return { name: `${color}.${kind}`, mimeType, buffer: Buffer.from(base64, 'base64') };
}
