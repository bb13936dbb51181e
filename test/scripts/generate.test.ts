// `npm run generate` with a start picture, and where it cannot finish: what it then says, and that the file stays which was
// there. With the model that is shipped. Plain clips: generate-made.test.ts.
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ffmpeg } from '../tools.mjs';

const video = (...args: string[]) => execFileSync(ffmpeg(), ['-v', 'error', ...args]);
const folder = () => mkdtempSync(join(tmpdir(), 'flipbook-'));

function generate(args: readonly string[], fault = '') {
  const options = ['--import', './test/scripts/faults.mjs', 'scripts/generate.mjs', '--steps', '1', ...args];
  return promisify(execFile)(process.execPath, options, { env: { ...process.env, FLIPBOOK_FAULT: fault } });
}

test('a picture is what the clip moves from, and is named in the summary', async () => {
  const picture = join(folder(), 'red.png');
  const out = join(folder(), 'red.mp4');
  video('-f', 'lavfi', '-i', 'color=red:size=64x64', '-frames:v', '1', picture);
  const drawn = ['--prompt', 'a rocket', '--frames', '8'];
  const { stdout, stderr } = await generate([...drawn, '--picture', picture, '--out', out, '--json']);
  expect(stderr.match(/^\w+ step .*$/gm)).toEqual([expect.stringMatching(/^clip step 1 of 1\b/)]);
  const sha256 = createHash('sha256').update(readFileSync(picture)).digest('hex');
  expect(JSON.parse(stdout)).toMatchObject({ picture: sha256, prompt: 'a rocket', frames: 8 });
  const mean = ['-frames:v', '1', '-vf', 'scale=1:1:flags=area', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
  const [red = 0, green = 0, blue = 0] = video('-i', out, ...mean);
  expect(red - Math.max(green, blue)).toBeGreaterThan(100);
});

test.each([
  ['no encoder', /^generate: no MP4: ./m],
  ['no room', /^generate: .*no space left on device/m],
])('%s: told in one line, and the file that was there stays as it was', async (fault, words) => {
  const place = folder();
  const out = join(place, 'cat.mp4');
  writeFileSync(out, 'the clip before');
  const error = await generate(['--prompt', 'a cat', '--frames', '4', '--out', out, '--json'], fault).catch(
    (reason) => reason,
  );
  expect(error).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(words) });
  expect(readFileSync(out, 'utf8')).toBe('the clip before');
  expect(readdirSync(place)).toEqual(['cat.mp4']);
});
