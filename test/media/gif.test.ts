// A GIF, judged by programs that are not ours: ffprobe, ffmpeg and exiftool.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { GifWriter } from '../../src/media/gif';
import { exiftool, ffmpeg, ffprobe } from '../tools.mjs';
import { patches } from './art';
import { sampleMetadata } from './samples';

const [size, count, fps] = [64, 36, 12];
const folder = mkdtempSync(join(tmpdir(), 'flipbook-gif-'));
const path = join(folder, 'clip.gif');

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (program: string, ...args: string[]) => execFileSync(program, args, { maxBuffer: 1 << 28, stdio: 'pipe' });

/** Patches with a hole, lower in each frame. */
function frame(index: number) {
  const pixels = patches(size);
  for (let x = 0; x < size; x++) pixels.data[4 * (index * size + x) + 3] = 0;
  return pixels;
}

test('is what it says: frames, seconds, pixels and settings', async () => {
  const writer = new GifWriter({ width: size, height: size, fps, paper: '#ffffff' });
  for (let i = 0; i < count; i++) await writer.add(frame(i));
  writeFileSync(path, new Uint8Array(await writer.finish(sampleMetadata).arrayBuffer()));

  const asked = 'stream=codec_name,width,height,nb_read_frames:frame=pkt_duration_time';
  const told = run(ffprobe(), '-v', 'error', '-count_frames', '-show_entries', asked, '-of', 'json', path).toString();
  const { streams, frames } = JSON.parse(told);
  expect(streams).toMatchObject([{ codec_name: 'gif', width: size, height: size, nb_read_frames: String(count) }]);
  const seconds = frames.map(({ pkt_duration_time }: Record<string, string>) => Number(pkt_duration_time));
  expect(seconds.reduce((sum: number, value: number) => sum + value, 0)).toBeCloseTo(count / fps, 3);

  const rgba = run(ffmpeg(), '-v', 'error', '-i', path, '-vsync', '0', '-f', 'rawvideo', '-pix_fmt', 'rgba', '-');
  expect(rgba.length).toBe(4 * size * size * count);
  for (let i = 0; i < count; i++) {
    const { data } = frame(i);
    const part = rgba.subarray(i * data.length, (i + 1) * data.length);
    const wrong = data.findIndex((value, at) => part[at] !== value && (at % 4 === 3 || data[at | 3] === 255));
    expect(wrong, `frame ${i}`).toBe(-1);
  }

  const [xmp] = JSON.parse(run(exiftool(), '-j', '-XMP:all', '-GIF:all', path).toString());
  expect(xmp).toMatchObject({
    Description: sampleMetadata.prompt,
    Sampler: sampleMetadata.sampler,
    AnimationIterations: 'Infinite',
    FrameCount: count,
  });
  expect(run(exiftool(), '-validate', '-warning', '-error', '-a', path).toString()).not.toMatch(/Warning|Error/);
});
