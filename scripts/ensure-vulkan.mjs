// Finds a Vulkan driver with `shader-f16` and subgroups for WebGPU in Node (Dawn): the machine's own, or lavapipe of Mesa 25,
// which is unpacked into node_modules/.cache without touching the system. It runs no test.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { root } from './site.mjs';

const execute = promisify(execFile);
const home = join(root, 'node_modules', '.cache', 'lavapipe');

/**
 * What Mesa is fetched from, by Debian's name. Mesa 22, which bookworm itself has, is refused by Dawn.
 * @type {Readonly<Record<string, { suites: string[], driver: string }>>}
 */
const releases = {
  bookworm: { suites: ['bookworm', 'bookworm-backports'], driver: 'mesa-vulkan-drivers/bookworm-backports' },
  trixie: { suites: ['trixie'], driver: 'mesa-vulkan-drivers' },
};

/** This machine has no driver, and none can be fetched: nothing is known to be wrong. */
export class Unavailable extends Error {}

const wanted = ['shader-f16', 'subgroups'];

/** Prints what the adapter is, in a process of its own: drivers read their environment once. */
const probe = `
import { create } from 'webgpu';
const adapter = await create([]).requestAdapter();
const { vendor, architecture, device, description } = adapter?.info ?? {};
const name = [vendor, architecture, device, description].filter(Boolean).join(' ');
console.log(JSON.stringify({ name, features: [...(adapter?.features ?? [])] }));
process.exit(0);`;

/**
 * The environment in which Dawn finds an adapter with all `wanted` features, and that adapter's name.
 * Order: `VK_ICD_FILENAMES` where it is set, the machine's own driver, lavapipe from an earlier run, lavapipe from Debian.
 * @param {(line: string) => void} say
 * @returns {Promise<{ env: Record<string, string>, name: string }>}
 * @throws Unavailable where there is none; Error where one that was asked for, or fetched, does not do
 */
export async function vulkan(say) {
  const given = process.env.VK_ICD_FILENAMES;
  const own = await look(common());
  if (own.missing.length === 0) return own;
  if (given) throw new Error(`VK_ICD_FILENAMES is ${given}: ${lacking(own)}`);
  if (!existsSync(home)) {
    say('Fetching lavapipe from Debian ...');
    await install().catch((error) => {
      throw new Unavailable(error.message);
    });
  }
  const unpacked = await look({ ...common(), ...(await unpackedDriver()) });
  if (unpacked.missing.length > 0) throw new Error(`lavapipe in ${home}: ${lacking(unpacked)}`);
  return unpacked;
}

/** Mesa wants a folder for sockets, which containers lack. Its compiler is not to spend longer than the kernel will run. */
function common() {
  return { XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir(), GALLIVM_PERF: 'nopt' };
}

/** @param {Record<string, string>} env */
async function look(env) {
  const args = ['--input-type=module', '--eval', probe];
  const { stdout } = await execute(process.execPath, args, { cwd: root, env: { ...process.env, ...env } }).catch(
    // A driver may take the process down with it, which is as good as none.
    () => ({ stdout: '{ "name": "", "features": [] }' }),
  );
  const { name, features } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  return { env, name, missing: wanted.filter((feature) => !features.includes(feature)) };
}

/** @param {{ name: string, missing: string[] }} driver */
function lacking({ name, missing }) {
  return name ? `${name} lacks ${missing.join(' and ')}` : 'WebGPU finds no adapter with it';
}

async function unpackedDriver() {
  const folder = join(home, 'usr', 'share', 'vulkan', 'icd.d');
  const file = (await readdir(folder)).find((name) => /^lvp_icd.*\.json$/.test(name));
  if (!file) throw new Error(`no lavapipe in ${folder}: remove ${home} and try again`);
  const lib = join(home, 'usr', 'lib');
  const libraries = (await readdir(lib)).filter((name) => name.endsWith('-linux-gnu')).map((name) => join(lib, name));
  return {
    VK_ICD_FILENAMES: join(folder, file),
    LD_LIBRARY_PATH: [...libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':'),
  };
}

/** Lavapipe and what this machine lacks for it, as Debian's apt chooses them, unpacked into `home`. Needs no root. */
async function install() {
  const { id, codename } = await system();
  const release = id === 'debian' ? releases[codename] : undefined;
  if (!release) {
    throw new Error(`no Vulkan driver with ${wanted.join(' and ')}; on ${id} ${codename} install lavapipe of Mesa 25`);
  }
  await mkdir(dirname(home), { recursive: true });
  const draft = await mkdtemp(`${home}-`);
  const apt = join(draft, 'apt');
  const unpacked = join(draft, 'root');
  const sources = join(apt, 'sources.list');
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  /** Lists and packages lie in `apt`, so that the system's own stay as they are. */
  const options = [
    `Dir::Etc::SourceList=${sources}`,
    'Dir::Etc::SourceParts=-',
    `Dir::State::Lists=${join(apt, 'lists')}`,
    `Dir::Cache=${apt}`,
    'Debug::NoLocking=1',
    'APT::Sandbox::User=root',
    'Acquire::Retries=2',
    'Acquire::http::Timeout=30',
  ].flatMap((option) => ['-o', option]);
  try {
    await mkdir(join(apt, 'lists', 'partial'), { recursive: true });
    await mkdir(join(apt, 'archives', 'partial'), { recursive: true });
    const lines = release.suites.map((suite) => `deb [signed-by=${keys}] http://deb.debian.org/debian ${suite} main\n`);
    await writeFile(sources, lines.join(''));
    await aptGet([...options, 'update']);
    const ask = ['install', '--yes', '--no-install-recommends', '--download-only'];
    await aptGet([...options, ...ask, release.driver, 'libvulkan1']);
    const archives = join(apt, 'archives');
    for (const name of (await readdir(archives)).filter((file) => file.endsWith('.deb'))) {
      await execute('dpkg-deb', ['--extract', join(archives, name), unpacked]);
    }
    await rename(unpacked, home);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** @param {string[]} args */
async function aptGet(args) {
  try {
    await execute('apt-get', args, { timeout: 300_000, maxBuffer: 1 << 24, env: { ...process.env, LC_ALL: 'C' } });
  } catch (error) {
    const { stderr, message } = /** @type {Error & { stderr?: string }} */ (error);
    const reason = String(stderr || message)
      .trim()
      .split('\n')
      .at(-1);
    throw new Error(`lavapipe could not be fetched with apt-get: ${reason}`);
  }
}

async function system() {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (/** @type {string} */ name) => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(text)?.[1];
  return { id: field('ID') ?? process.platform, codename: field('VERSION_CODENAME') ?? '' };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { env, name } = await vulkan(console.error);
  console.error(name);
  for (const [key, value] of Object.entries(env)) console.log(`export ${key}='${value}'`);
}
