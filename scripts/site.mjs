// The built page, for `npm start` and `npm run generate`: installs and builds what is missing or stale, and serves it.
// Not the end-to-end tests' server: they build into a folder of their own.
import { spawn } from 'node:child_process';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What the built page is made of. */
export const sources = [
  'index.html',
  'bench.html',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'vite.config.ts',
  'scripts',
  'src',
  'shaders',
  'public',
  'test/fixtures', // what the benchmark runs, and what it is checked against
  'test/reference',
];

/** @typedef {Record<string, { integrity?: string, optional?: boolean }>} Packages of a lock file, by their folders */

/**
 * `npm ci` where node_modules lacks a package of the lock file. Its words go to stderr: stdout may be a summary.
 * @param {(line: string) => void} say
 */
export async function install(say) {
  /** @param {string} path @returns {Promise<Packages>} */
  const packages = async (path) => JSON.parse(await readFile(join(root, path), 'utf8')).packages;
  const wanted = await packages('package-lock.json');
  // npm writes this one when it is done.
  const there = await packages('node_modules/.package-lock.json').catch(() => undefined);
  if (there && hasAll(wanted, there)) return;
  say('Installing packages (once)');
  const code = await new Promise((resolve) => {
    const shell = process.platform === 'win32';
    const child = spawn('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, shell, stdio: ['ignore', 2, 2] });
    child.on('error', () => resolve(1));
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error('npm ci failed: see its words above. The first start needs the network.');
}

/**
 * Not by time: npm ci empties node_modules, whatever is cached or running there, and a lock file is new after each checkout.
 * @param {Packages} wanted optional ones, which may be for other systems, need not be there
 * @param {Packages} there
 */
export function hasAll(wanted, there) {
  return Object.entries(wanted).every(([folder, { integrity, optional }]) => {
    const found = there[folder];
    return folder === '' || (found ? found.integrity === integrity : optional === true);
  });
}

/**
 * Builds into `dist` unless it is newer than everything it is made of.
 * @param {(line: string) => void} say
 */
export async function buildIfStale(say) {
  const dist = join(root, 'dist');
  const newest = Math.max(...(await Promise.all(sources.map((path) => newestIn(join(root, path))))));
  if ((await changed(join(dist, 'index.html'))) > newest) return;
  say('Building the page');
  const { build } = await import('vite');
  // Beside it, then swapped in: a page that is being served never sees half a build.
  const draft = `${dist}-${process.pid}`;
  const old = `${draft}-old`;
  try {
    await build({ root, logLevel: 'error', build: { outDir: draft, emptyOutDir: true } });
    await rename(dist, old).catch(() => undefined); // there is none at first
    await rename(draft, dist).catch(async (error) => {
      if ((await changed(join(dist, 'index.html'))) > newest) return; // Another process was first, which is as good.
      await rename(old, dist).catch(() => undefined);
      throw error;
    });
  } finally {
    for (const folder of [draft, old]) await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Serves `dist` with the page's headers, to this machine only.
 * @param {{ port: number, strictPort?: boolean }} options port 0: any free one
 * @returns {Promise<{ address: string, close: () => Promise<void> }>}
 */
export async function serve({ port, strictPort = false }) {
  const { preview } = await import('vite');
  // By number: a bare system may not know the name, which browsers always do.
  const server = await preview({
    root,
    logLevel: 'error',
    preview: { port, strictPort, host: '127.0.0.1', open: false },
  });
  const bound = server.httpServer.address();
  if (bound === null || typeof bound === 'string') throw new Error('the server has no port');
  return { address: `http://localhost:${bound.port}/`, close: () => server.close() };
}

/** @param {string} path */
async function changed(path) {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}

/**
 * The newest change in a file or a folder, its own included: a file that was removed counts.
 * @param {string} path
 * @returns {Promise<number>}
 */
async function newestIn(path) {
  const info = await stat(path).catch(() => undefined);
  if (!info) return 0;
  if (!info.isDirectory()) return info.mtimeMs;
  const names = await readdir(path);
  return Math.max(info.mtimeMs, ...(await Promise.all(names.map((name) => newestIn(join(path, name))))));
}
