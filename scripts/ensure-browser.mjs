// Finds a Chromium with WebGPU for tests and for the headless command, with only npm at hand and no root.
// It launches nothing: it answers where the browser is and which flags and environment it needs.
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { access, chmod, constants, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';
import { root } from './site.mjs';

const require = createRequire(import.meta.url);

/** WebGPU on SwiftShader with zero-copy VideoFrames from a WebGPU canvas: without the Vulkan flags these are black. */
const softwareFlags = ['--use-angle=swiftshader', '--enable-features=Vulkan', '--use-vulkan=swiftshader'];

/** Keep the browser quiet and off the network. The sandbox needs rights that containers lack. */
const commonFlags = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--enable-unsafe-webgpu',
  // Containers have a tiny /dev/shm.
  '--disable-dev-shm-usage',
];

const systemNames = ['google-chrome-stable', 'google-chrome', 'chromium', 'chromium-browser'];
const systemPaths = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/**
 * @typedef {object} Browser
 * @property {string} executablePath
 * @property {string[]} args
 * @property {Record<string, string>} env
 * @property {string} source where it was found, in words
 */

/** @type {Promise<Browser> | undefined} */
let found;

/**
 * Order: `CHROME_PATH`, a system Chrome or Chromium, Playwright's own, `@sparticuz/chromium` from npm.
 * `FLIPBOOK_GPU=hardware` leaves out the software-adapter flags, for a machine with a GPU.
 * @returns {Promise<Browser>}
 */
export function browser() {
  found ??= resolve();
  return found;
}

/** @returns {Promise<Browser>} */
async function resolve() {
  const args = [
    ...commonFlags,
    ...(process.env.FLIPBOOK_GPU === 'hardware' ? ['--enable-features=Vulkan'] : softwareFlags),
  ];
  const chosen = process.env.CHROME_PATH;
  if (chosen) {
    if (!(await executable(chosen))) throw new Error(`CHROME_PATH is ${chosen}, which is not an executable file`);
    return { executablePath: chosen, args, env: environment(), source: 'CHROME_PATH' };
  }
  for (const path of [...onPath(systemNames), ...systemPaths]) {
    if (await executable(path)) return { executablePath: path, args, env: environment(), source: 'system' };
  }
  const own = await playwrightBrowser();
  if (own) return { executablePath: own, args, env: environment(), source: 'playwright' };
  return npmBrowser(args);
}

/** @param {string} path */
export async function executable(path) {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** @param {readonly string[]} names */
export function onPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name)));
}

async function playwrightBrowser() {
  try {
    const { chromium } = await import('playwright-core');
    const path = chromium.executablePath();
    return (await executable(path)) ? path : undefined;
  } catch {
    return undefined; // Playwright throws where it has no build for this platform.
  }
}

/** @param {Record<string, string>} [extra] */
function environment(extra = {}) {
  const inherited = Object.entries(process.env).filter((entry) => entry[1] !== undefined);
  return /** @type {Record<string, string>} */ ({ ...Object.fromEntries(inherited), ...extra });
}

/**
 * Unpacks `@sparticuz/chromium` once into node_modules/.cache: its browser, libraries, SwiftShader and a font.
 * @param {string[]} args
 * @returns {Promise<Browser>}
 */
async function npmBrowser(args) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('No Chrome or Chromium found: install one, or set CHROME_PATH to its executable file');
  }
  const packageRoot = join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '..', '..');
  const { version } = require(join(packageRoot, 'package.json'));
  const home = join(root, 'node_modules', '.cache', `chromium-${version}`);
  if (!existsSync(home)) await unpack(packageRoot, home);
  const libraries = [join(home, 'al2023', 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  /** @type {Record<string, string>} */
  const extra = { LD_LIBRARY_PATH: libraries };
  if (!existsSync('/etc/fonts/fonts.conf')) extra.FONTCONFIG_PATH = join(home, 'fonts');
  return {
    executablePath: join(home, 'chromium'),
    args,
    env: environment(extra),
    source: `@sparticuz/chromium ${version}`,
  };
}

/**
 * @param {string} packageRoot
 * @param {string} home
 */
async function unpack(packageRoot, home) {
  // tar-fs is what the package itself unpacks with, so it is always there.
  const { default: tar } = await import(
    pathToFileURL(createRequire(join(packageRoot, 'package.json')).resolve('tar-fs')).href
  );
  await mkdir(dirname(home), { recursive: true });
  // Into a folder of our own first, then renamed: a run that is cut off leaves nothing half unpacked in place.
  const draft = await mkdtemp(`${home}-`);
  const part = (/** @type {string} */ name) =>
    createReadStream(join(packageRoot, 'bin', name), { highWaterMark: 1 << 22 });
  const plain = { chown: false }; // The archives name their maker's user.
  const brotli = () => createBrotliDecompress({ chunkSize: 1 << 21 });
  try {
    await Promise.all([
      pipeline(part('chromium.br'), brotli(), createWriteStream(join(draft, 'chromium'), { mode: 0o755 })),
      pipeline(part('swiftshader.tar.br'), brotli(), tar.extract(draft, plain)),
      pipeline(part('al2023.tar.br'), brotli(), tar.extract(join(draft, 'al2023'), plain)),
      pipeline(part('fonts.tar.br'), brotli(), tar.extract(join(draft, 'fonts'), plain)),
    ]);
    await chmod(draft, 0o755); // mkdtemp makes it private; another user may run the tests later.
    const fonts = join(home, 'fonts');
    await writeFile(
      join(draft, 'fonts', 'fonts.conf'),
      `<?xml version="1.0"?><fontconfig><dir>${fonts}</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>\n`,
    );
    await rename(draft, home);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(home)) throw error; // Otherwise another process was first, which is as good.
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { executablePath, source } = await browser();
  console.log(`${executablePath} (${source})`);
}
