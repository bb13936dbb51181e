// Fetches packages of Debian, and what of theirs this machine lacks, into a folder of ours: it needs no root and installs nothing.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** This machine has not got it, and it cannot be fetched: nothing is known to be wrong. */
export class Unavailable extends Error {}

/**
 * What packages are fetched from, by Debian's name. The browser's newer versions come as security updates.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const sources = {
  bookworm: ['debian bookworm', 'debian bookworm-backports', 'debian-security bookworm-security'],
  trixie: ['debian trixie', 'debian-security trixie-security'],
};

/**
 * Unpacks packages and what they need, as apt chooses them, into `home`.
 * @param {string} home a folder that is not there yet
 * @param {(codename: string) => readonly string[]} packages by Debian's name, as `apt-get install` takes them
 * @throws Unavailable where this is another system, or apt cannot fetch them
 */
export async function unpackDebian(home, packages) {
  const { id, codename } = await system();
  const lines = id === 'debian' ? sources[codename] : undefined;
  const names = packages(codename);
  if (!lines)
    throw new Unavailable(
      `${names[0]} is fetched on Debian ${Object.keys(sources).join(' and ')}; this is ${id} ${codename}`,
    );
  await mkdir(dirname(home), { recursive: true });
  const draft = await mkdtemp(`${home}-`);
  const apt = join(draft, 'apt');
  const unpacked = join(draft, 'root');
  const list = join(apt, 'sources.list');
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  /** Lists and packages lie in `apt`, so that the system's own stay as they are. */
  const options = [
    `Dir::Etc::SourceList=${list}`,
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
    await writeFile(list, lines.map((line) => `deb [signed-by=${keys}] http://deb.debian.org/${line} main\n`).join(''));
    await aptGet([...options, 'update']);
    const ask = ['install', '--yes', '--no-install-recommends', '--download-only'];
    await aptGet([...options, ...ask, ...names]);
    const archives = join(apt, 'archives');
    for (const name of (await readdir(archives)).filter((file) => file.endsWith('.deb'))) {
      await execute('dpkg-deb', ['--extract', join(archives, name), unpacked]);
    }
    await rename(unpacked, home);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/**
 * `LD_LIBRARY_PATH` with the libraries that were unpacked into `home`.
 * @param {string} home
 */
export async function unpackedLibraries(home) {
  const lib = join(home, 'usr', 'lib');
  const folders = (await readdir(lib)).filter((name) => name.endsWith('-linux-gnu')).map((name) => join(lib, name));
  return [...folders, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
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
    throw new Unavailable(`apt-get ${args.includes('update') ? 'update' : args.at(-1)}: ${reason}`);
  }
}

async function system() {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (/** @type {string} */ name) => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(text)?.[1];
  return { id: field('ID') ?? process.platform, codename: field('VERSION_CODENAME') ?? '' };
}
