// `node scripts/pictures.mjs [prompt] [story]`: makes docs/page.png, docs/clip.webp and docs/story.webp, the README's pictures,
// with the page itself and the weights that are there. Clips are what the page made, scaled and encoded anew.
import { execFileSync } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { command, say, withPage } from './page.mjs';
import { buildIfStale, install, root } from './site.mjs';

const [prompt = 'a grinning face', story = 'egg > hatching chick > rooster'] = process.argv.slice(2);
const docs = join(root, 'docs');

async function main() {
  await install(say);
  await buildIfStale(say);
  await mkdir(docs, { recursive: true });
  await make('clip.webp', { prompt, seed: '7', steps: '8', frames: '36' }, 'page.png');
  await make('story.webp', { prompt: story, seed: '3', steps: '8', frames: '48' });
  console.log('Wrote docs/page.png, docs/clip.webp and docs/story.webp');
}

/**
 * Writes a clip to docs.
 * @param {string} name
 * @param {Record<string, string>} form
 * @param {string} [screenshot] of the page that made it
 */
async function make(name, form, screenshot) {
  const { ffmpeg } = await import('../test/tools.mjs'); // of what was just installed
  const view = /** @type {const} */ ({ viewport: { width: 1360, height: 980 }, reducedMotion: 'reduce' });
  return withPage(async (page, address) => {
    await page.goto(`${address}#${new URLSearchParams(form)}`);
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
    if (screenshot) await page.screenshot({ path: join(docs, screenshot) });
  }, view);
}

command('pictures', main);
