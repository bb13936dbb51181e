// A whole clip, judged by programs that are not ours: ffprobe, ffmpeg and exiftool; made once with the usual browser
// flags and once without those that make zero-copy right on a software adapter.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browser } from '../../scripts/ensure-browser.mjs';
import { exiftool, ffmpeg, ffprobe } from '../tools.mjs';
import { difference, patches, planesToRgb } from './art';
import type { PageClip } from './clip.page';
import { sampleMetadata } from './samples';

const [size, count, fps] = [256, 36, 12];
const folder = mkdtempSync(join(tmpdir(), 'flipbook-media-'));
let server: ViteDevServer;

beforeAll(async () => {
  server = await createServer({
    configFile: false,
    logLevel: 'error',
    server: { host: '127.0.0.1', port: 0, watch: null, hmr: false, ws: false },
    optimizeDeps: { noDiscovery: true },
    cacheDir: join(folder, 'vite'),
    appType: 'custom',
    plugins: [
      {
        name: 'blank page',
        configureServer: ({ middlewares }) => {
          middlewares.use((request, response, next) => {
            if (request.url !== '/') return next();
            response.setHeader('content-type', 'text/html').end('<!doctype html><title>media</title>');
          });
        },
      },
    ],
  });
  await server.listen();
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function makeClip(keep: (flag: string) => boolean): Promise<PageClip> {
  const { executablePath, args, env } = await browser();
  const chrome = await chromium.launch({ executablePath, args: args.filter(keep), env });
  try {
    const page = await chrome.newPage();
    await page.goto(server.resolvedUrls!.local[0]!);
    return await page.evaluate(`import('/test/media/clip.page.ts').then((m) => m.makeClip(${size}, ${count}, ${fps}))`);
  } finally {
    await chrome.close();
  }
}

const run = (program: string, ...args: string[]) => execFileSync(program, args, { maxBuffer: 1 << 28, stdio: 'pipe' });

describe.for([
  ['usual flags', () => true],
  ['no Vulkan flags', (flag: string) => !/angle|vulkan/i.test(flag)],
] as const)('a clip from a browser with %s', ([name, keep]) => {
  const file = join(folder, `${name}.mp4`);
  let clip: PageClip;

  beforeAll(async () => {
    clip = await makeClip(keep);
    writeFileSync(file, Buffer.from(clip.base64, 'base64'));
  });

  test('the self-check is right about this browser', () => {
    const zeroCopyWorks = clip.red.every((value, c) => Math.abs(value - [255, 0, 0][c]!) <= 4);
    console.info(`${name}: ${clip.check.path} ${clip.check.problem ?? ''}`);
    expect(clip.check.path).toBe(zeroCopyWorks ? 'zero-copy' : 'readback');
  });

  test('ffprobe: codec, size, frames, duration, colours', () => {
    const probed = JSON.parse(
      run(ffprobe(), '-v', 'error', '-count_frames', '-show_streams', '-show_format', '-of', 'json', file).toString(),
    );
    expect(probed.streams).toHaveLength(1);
    expect(probed.streams[0]).toMatchObject({
      codec_name: 'h264',
      profile: 'High',
      width: size,
      height: size,
      pix_fmt: 'yuv420p',
      r_frame_rate: `${fps}/1`,
      avg_frame_rate: `${fps}/1`,
      nb_frames: String(count),
      nb_read_frames: String(count),
      duration: '3.000000',
      color_range: 'tv',
      color_space: 'bt709',
      color_primaries: 'bt709',
      color_transfer: 'bt709',
    });
    expect(probed.format).toMatchObject({ start_time: '0.000000', duration: '3.000000' });
  });

  test('ffmpeg: decodes without a complaint, to the colours that were drawn', () => {
    expect(run(ffmpeg(), '-v', 'error', '-i', file, '-f', 'null', '-').toString()).toBe('');
    const planes = run(ffmpeg(), '-v', 'error', '-i', file, '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-');
    expect(planes.length).toBe((count * size * size * 3) / 2);
    const { mean, worstPatch } = difference(planesToRgb(planes, size, size, 'bt709'), patches(size));
    console.info(`${name}: mean ${mean.toFixed(2)}, worst patch ${worstPatch.toFixed(2)}`);
    expect(worstPatch).toBeLessThan(2.5);
    expect(mean).toBeLessThan(2);
  });

  test('exiftool: the settings, in the clip and in a still', () => {
    const still = join(folder, `${name}.png`);
    writeFileSync(still, Buffer.from(clip.png, 'base64'));
    for (const path of [file, still]) {
      const [tags] = JSON.parse(
        run(exiftool(), '-json', '-G1', '-struct', '-validate', '-warning', '-all', path).toString(),
      );
      expect(tags['XMP-dc:Description']).toBe(sampleMetadata.prompt);
      expect(tags['XMP-xmp:CreatorTool']).toBe(`Flipbook ${sampleMetadata.appVersion}`);
      for (const [key, value] of Object.entries(sampleMetadata)) {
        const tag = `XMP-flipbook:${key[0]!.toUpperCase()}${key.slice(1)}`;
        expect(String(tags[tag]), tag).toBe(String(value));
      }
      expect(tags['ExifTool:Validate']).toBe('OK');
    }
  });
});
