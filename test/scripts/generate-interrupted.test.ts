// `npm run generate` that is stopped midway, by its user or by the loss of its browser: an exit code that is not 0, one line
// that says why, and nothing left behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { browser } from '../../scripts/ensure-browser.mjs';

const folders: string[] = [];
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL'); // one that a failed test has left
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'flipbook-'));
  folders.push(folder);
  return folder;
}

/** Begins a clip, and when the progress says so does something to the command or to its browser, which is a process's id. */
async function generate(moment: RegExp, act: (child: ChildProcess, browserId: number) => void) {
  const folder = temporary();
  // The browser as ever, but it says which process it is.
  const { executablePath, env } = await browser();
  const idFile = join(temporary(), 'id');
  const wrapper = join(temporary(), 'chrome');
  writeFileSync(wrapper, `#!/bin/sh\necho $$ > '${idFile}'\nexec '${executablePath}' "$@"\n`);
  chmodSync(wrapper, 0o755);
  const args = ['--prompt', 'a cat', '--steps', '1', '--frames', '16', '--out', join(folder, 'cat.mp4')];
  const child = spawn(process.execPath, ['scripts/generate.mjs', ...args], {
    env: { ...env, CHROME_PATH: wrapper },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let told = '';
  const browserId = () => Number(readFileSync(idFile, 'utf8'));
  let acted = 0;
  child.stderr.on('data', (data: Buffer) => {
    told += data;
    if (acted || !moment.test(told)) return;
    acted = performance.now();
    act(child, browserId());
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const seconds = (performance.now() - acted) / 1000;
  return { code, told, seconds, files: readdirSync(folder), browserId: browserId() };
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
  } catch {
    return false;
  }
  // One that has ended stays as a zombie until its parent has taken notice.
  const state = `/proc/${id}/stat`;
  return !existsSync(state) || !/\) Z /.test(readFileSync(state, 'utf8'));
}

test('Ctrl+C while frames are decoded', async () => {
  const { code, told, seconds, files, browserId } = await generate(/^frame 2 of 16/m, (child) => child.kill('SIGINT'));
  expect(code).toBe(130);
  expect(told.trimEnd().split('\n').at(-1)).toBe('generate: stopped by SIGINT');
  expect(files).toEqual([]);
  expect(seconds).toBeLessThan(25); // it waits for no browser that is busy
  await expect.poll(() => isRunning(browserId), { timeout: 10_000 }).toBe(false);
});

test('a browser that ends by itself', async () => {
  const { code, told, files } = await generate(/^compile/m, (_child, id) => process.kill(id, 'SIGKILL'));
  expect(code).toBe(1);
  expect(told.trimEnd().split('\n').at(-1)).toMatch(/^generate: the browser ended/);
  expect(files).toEqual([]);
});
