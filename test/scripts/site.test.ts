// What `npm start` and the other commands take for installed, and for what the page is made of. They install and build nothing
// here.
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { hasAll, root, sources } from '../../scripts/site.mjs';

const vite = { 'node_modules/vite': { integrity: 'sha512-a' } };
const forMac = { 'node_modules/fsevents': { integrity: 'sha512-b', optional: true } };

/** What a file imports by a relative path, and what that imports, from the root. */
function imported(path: string, found = new Set<string>()): Set<string> {
  for (const [, target = ''] of readFileSync(join(root, path), 'utf8').matchAll(/ from '(\.[^']+)'/g)) {
    const name = relative(root, join(root, dirname(path), target));
    if (!found.has(name)) imported(name, found.add(name));
  }
  return found;
}

test('a change in anything that the build imports makes the page stale', () => {
  const found = [...imported('vite.config.ts')];
  expect(found).toContain(join('scripts', 'model-card.mjs'));
  const isSource = (path: string) => sources.some((source) => path === source || path.startsWith(`${source}/`));
  expect(found.filter((path) => !isSource(path))).toEqual([]);
});

test.each([
  ['all of it', { ...vite, ...forMac }, { ...vite, ...forMac }, true],
  ['all but what is for another system', { ...vite, ...forMac }, vite, true],
  ['more than is asked for', vite, { ...vite, ...forMac }, true],
  ['the project itself, which npm does not list', { '': {}, ...vite }, vite, true],
  ['a package is missing', { ...vite, 'node_modules/preact': { integrity: 'sha512-c' } }, vite, false],
  ['another version', vite, { 'node_modules/vite': { integrity: 'sha512-z' } }, false],
  ['another version of an optional one', forMac, { 'node_modules/fsevents': { integrity: 'sha512-z' } }, false],
])('%s', (_name, wanted, there, expected) => {
  expect(hasAll(wanted, there)).toBe(expected);
});
