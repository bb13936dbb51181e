// Finds a Vulkan driver with `shader-f16` and subgroups for WebGPU in Node (Dawn): the machine's own, or lavapipe of Mesa 25,
// which is unpacked into node_modules/.cache without touching the system. It runs no test.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { unpackDebian, unpackedLibraries } from './debian.mjs';
import { root } from './site.mjs';

const execute = promisify(execFile);
const home = join(root, 'node_modules', '.cache', 'lavapipe');

/** Mesa 22, which bookworm itself has, is refused by Dawn. @param {string} codename */
const packages = (codename) => [
  codename === 'bookworm' ? 'mesa-vulkan-drivers/bookworm-backports' : 'mesa-vulkan-drivers',
  'libvulkan1',
];

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
    await unpackDebian(home, packages);
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
  return {
    VK_ICD_FILENAMES: join(folder, file),
    LD_LIBRARY_PATH: await unpackedLibraries(home),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { env, name } = await vulkan(console.error);
  console.error(name);
  for (const [key, value] of Object.entries(env)) console.log(`export ${key}='${value}'`);
}
