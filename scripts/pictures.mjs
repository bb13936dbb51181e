// `node scripts/pictures.mjs [prompt] [story]`: makes docs/page.png, docs/clip.webp and docs/story.webp, the README's pictures,
// with the page itself and the weights that are there. Clips are what the page made, only in another container.
import { execFileSync } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { ffmpeg } from '../test/tools.mjs';
import { browser } from './ensure-browser.mjs';
import { buildIfStale, root, serve } from './site.mjs';

const [prompt = 'a grinning face', story = 'egg > hatching chick > rooster'] = process.argv.slice(2);
const docs = join(root, 'docs');

await buildIfStale(console.error);
const server = await serve({ port: 0 });
const { executablePath, args, env } = await browser();
const chrome = await chromium.launch({ executablePath, args, env });
try {
  await mkdir(docs, { recursive: true });
  const page = await make('clip.webp', { prompt, seed: '7', steps: '8', frames: '36' });
  await page.screenshot({ path: join(docs, 'page.png') });
  await make('story.webp', { prompt: story, seed: '3', steps: '8', frames: '48' });
  console.log('Wrote docs/page.png, docs/clip.webp and docs/story.webp');
} finally {
  await chrome.close();
  await server.close();
}

/** Writes a clip to docs. Returns the page that made it. @param {string} name @param {Record<string, string>} form */
async function make(name, form) {
  const page = await chrome.newPage({ viewport: { width: 1360, height: 980 }, reducedMotion: 'reduce' });
  await page.goto(`${server.address}#${new URLSearchParams(form)}`);
  await page.getByRole('button', { name: 'Generate' }).click();
  const mp4 = page.getByRole('button', { name: 'Download MP4', disabled: false });
  await mp4.waitFor({ timeout: 1_200_000 });
  const waiting = page.waitForEvent('download');
  await mp4.click();
  const clip = join(docs, `${name}.mp4`);
  try {
    await (await waiting).saveAs(clip);
    const loop = ['-vf', 'scale=256:256', '-loop', '0', '-c:v', 'libwebp', '-quality', '75', join(docs, name)];
    execFileSync(ffmpeg(), ['-v', 'error', '-y', '-i', clip, ...loop]);
  } finally {
    await rm(clip, { force: true });
  }
  return page;
}
