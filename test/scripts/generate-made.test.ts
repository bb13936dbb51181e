// `npm run generate` to its end, with the model that is shipped: the file that it says, and nothing beside it.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test.each([
  ['cat.mp4', expect.stringMatching(/^(avc1|vp09)/), 4, 'ftyp'],
  ['cat.apng', 'apng', 1, 'PNG'],
  ['cat.gif', 'gif', 0, 'GIF89a'],
])('%s and its summary', async (name, codec, at, mark) => {
  const folder = mkdtempSync(join(tmpdir(), 'flipbook-'));
  const out = join(folder, name);
  const options = ['--prompt', 'a cat 猫', '--steps', '1', '--frames', '4', '--seed', '7', '--out', out, '--json'];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['scripts/generate.mjs', ...options]);
  expect(stderr).toContain('the model does not read: 猫\n');
  const file = readFileSync(out);
  const summary = JSON.parse(stdout);
  expect(summary).toMatchObject({
    prompt: 'a cat 猫',
    seed: 7,
    codec,
    bytes: file.length,
    sha256: createHash('sha256').update(file).digest('hex'),
  });
  for (const part of ['total', 'load', 'compile', 'perStep', 'decode', 'encode'])
    expect(summary.seconds[part], part).toBeGreaterThan(0);
  expect(summary.peakGpuBytes).toBeGreaterThan(1e6);
  expect(file.subarray(at, at + mark.length).toString()).toBe(mark);
  expect(readdirSync(folder)).toEqual([name]);
});
