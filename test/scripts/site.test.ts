// What `npm start` and the other commands take for installed. They install and build nothing here.
import { expect, test } from 'vitest';
import { hasAll } from '../../scripts/site.mjs';

const vite = { 'node_modules/vite': { integrity: 'sha512-a' } };
const forMac = { 'node_modules/fsevents': { integrity: 'sha512-b', optional: true } };

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
