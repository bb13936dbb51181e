// Finds a Firefox for the tests in a second browser: `FIREFOX_PATH`, the system's, one from an earlier run, else Debian's, which is
// unpacked into node_modules/.cache without touching the system. It launches nothing: test/firefox.ts does.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { unpackDebian, unpackedLibraries } from './debian.mjs';
import { executable, onPath } from './ensure-browser.mjs';
import { root } from './site.mjs';

const home = join(root, 'node_modules', '.cache', 'firefox');
const systemPaths = [
  '/Applications/Firefox.app/Contents/MacOS/firefox',
  'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
];

/**
 * @param {(line: string) => void} say
 * @returns {Promise<{ executablePath: string, env: Record<string, string> }>}
 * @throws Unavailable where there is none and none can be fetched
 */
export async function firefox(say) {
  const chosen = process.env.FIREFOX_PATH;
  if (chosen) {
    if (!(await executable(chosen))) throw new Error(`FIREFOX_PATH is ${chosen}, which is not an executable file`);
    return { executablePath: chosen, env: {} };
  }
  for (const path of [...onPath(['firefox', 'firefox-esr']), ...systemPaths]) {
    if (await executable(path)) return { executablePath: path, env: {} };
  }
  if (!existsSync(home)) {
    say('Fetching Firefox from Debian ...');
    await unpackDebian(home, () => ['firefox-esr']);
  }
  const executablePath = join(home, 'usr', 'lib', 'firefox-esr', 'firefox-esr');
  return { executablePath, env: { LD_LIBRARY_PATH: await unpackedLibraries(home) } };
}
