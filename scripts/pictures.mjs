// `node scripts/pictures.mjs [prompt]`: makes docs/page.png and docs/clip.webp, the README's pictures, with the page itself
// and the weights that are there. The clip is what the page made, only in another container.
import { execFileSync } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { ffmpeg } from '../test/tools.mjs';
import { browser } from './ensure-browser.mjs';
import { buildIfStale, root, serve } from './site.mjs';

const prompt = process.argv[2] ?? 'a grinning face';
const docs = join(root, 'docs');
const clip = join(docs, 'clip.mp4');

await buildIfStale(console.error);
const server = await serve({ port: 0 });
const { executablePath, args, env } = await browser();
const chrome = await chromium.launch({ executablePath, args, env });
try {
  const page = await chrome.newPage({ viewport: { width: 1360, height: 980 }, reducedMotion: 'reduce' });
  await page.goto(`${server.address}#${new URLSearchParams({ prompt, seed: '7', steps: '8', frames: '36' })}`);
  await page.getByRole('button', { name: 'Generate' }).click();
  const mp4 = page.getByRole('button', { name: 'Download MP4', disabled: false });
  await mp4.waitFor({ timeout: 1_200_000 });
  const waiting = page.waitForEvent('download');
  await mp4.click();
  await mkdir(docs, { recursive: true });
  await (await waiting).saveAs(clip);
  await page.screenshot({ path: join(docs, 'page.png') });
  const loop = ['-vf', 'scale=256:256', '-loop', '0', '-c:v', 'libwebp', '-quality', '75', join(docs, 'clip.webp')];
  execFileSync(ffmpeg(), ['-v', 'error', '-y', '-i', clip, ...loop]);
  console.log('Wrote docs/page.png and docs/clip.webp');
} finally {
  await rm(clip, { force: true });
  await chrome.close();
  await server.close();
}
