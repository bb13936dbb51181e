// `npm run generate` on wrong arguments: told in one line before a browser starts, and an exit code that is not 0.
// What it makes: generate-made.test.ts.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'flipbook-'));
const taken = join(folder, 'folder.mp4');
mkdirSync(taken);
const out = join(folder, 'cat.mp4');
const picture = join(folder, 'cat.png');
writeFileSync(picture, 'any bytes: they are the page’s to judge');

async function refusal(...args: string[]): Promise<string> {
  try {
    await promisify(execFile)(process.execPath, ['scripts/generate.mjs', ...args], { timeout: 120_000 });
  } catch (error) {
    const { code, stderr, stdout } = error as { code: number; stderr: string; stdout: string };
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    return stderr;
  }
  throw new Error('it was accepted');
}

test.each<[string, string[], RegExp]>([
  ['no file to write', ['--prompt', 'a cat'], /--out is missing/],
  ['nothing to draw', ['--out', out], /--prompt is missing.*or give a --picture/],
  ['a folder that is not there', ['--prompt', 'a cat', '--out', join(folder, 'no', 'cat.mp4')], /cannot be written/],
  ['a folder as file', ['--prompt', 'a cat', '--out', taken], /is a folder/],
  [
    'a file that it cannot make',
    ['--prompt', 'a cat', '--out', join(folder, 'cat.webm')],
    /cat\.webm.*name a file \.mp4/,
  ],
  ['an unknown option', ['--prompt', 'a cat', '--out', out, '--stepz', '3'], /--stepz/],
  [
    'a field in place of a value',
    ['--prompt', '--seed', '42', '--out', out],
    /--prompt has no value: --seed comes next/,
  ],
  ['an option in place of a value', ['--prompt', 'a cat', '--seed', '--json', '--out', out], /--seed has no value/],
  ['an empty prompt', ['--prompt', '', '--out', out], /Prompt is empty/],
  ['a negative number', ['--prompt', 'a cat', '--out', out, '--steps', '-1'], /Steps is “-1”/],
  ['frames off the grid', ['--prompt', 'a cat', '--out', out, '--frames', '7'], /Frames is “7”/],
  ['a scene of nothing', ['--prompt', 'a cat > > a dog', '--out', out], /nothing for scene 2 of 3/],
  ['a story too long', ['--prompt', 'a > b > c', '--frames', '16', '--out', out], /24 to \d+ for 3 scenes.*Try 24/],
  [
    'a picture that is not there',
    ['--picture', join(folder, 'dog.png'), '--out', out],
    /--picture .*dog.png cannot be read/,
  ],
  ['a picture with four frames', ['--picture', picture, '--frames', '4', '--out', out], /with a start picture. Try 8/],
  ['a part of no picture', ['--prompt', 'a cat', '--redraw', '4,4,8,8', '--out', out], /Redraw needs a start picture/],
])('%s', async (_name, args, words) => {
  expect(await refusal(...args)).toMatch(words);
});
