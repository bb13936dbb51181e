// What is removed from the browser's storage, and what becomes of it where there is no room. What is kept there is session.test.ts's and kept-picture.test.ts's.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { defaults, frameSide, toRaw } from '../../src/options';
import { clearStorage, everywhere, loadPicture, loadSettings, savePicture, saveSettings } from '../../src/ui/settings';
import { pixels, sha256 } from './pictures';
import { storage, visit } from './visit';

beforeEach(() => {
  visit();
  vi.stubGlobal('sessionStorage', storage());
});
afterEach(() => vi.unstubAllGlobals());

test('clearing takes whatever is ours, of other versions, too, and nothing of other pages of this address', async () => {
  for (const store of [localStorage, sessionStorage]) {
    for (const key of ['flipbook:settings', 'flipbook:of-another-version', 'flipbooks:mine', 'theirs'])
      store.setItem(key, '1');
  }
  await clearStorage();
  for (const store of [localStorage, sessionStorage]) expect(Object.keys(store)).toEqual(['flipbooks:mine', 'theirs']);
});

test('one storage that is forbidden does not keep the other from being cleared', async () => {
  localStorage.setItem('flipbook:settings', '1');
  vi.stubGlobal('sessionStorage', undefined);
  await clearStorage();
  expect(Object.keys(localStorage)).toEqual([]);
});

test('what finds no room does not leave what was there before to come back, and the other storage has it', () => {
  const save = (prompt: string) =>
    saveSettings({ form: { ...toRaw(defaults), prompt }, seedLocked: false }, everywhere);
  const show = (name: string) => savePicture({ picture: { name, sha256, pixels }, missing: '' }, everywhere);
  save('a ghost');
  show('ghost.png');
  const full = () => {
    throw new DOMException('no room', 'QuotaExceededError');
  };
  Object.setPrototypeOf(sessionStorage, { ...Object.getPrototypeOf(sessionStorage), setItem: full });
  save('a crab');
  show('crab.png');
  expect(Object.keys(sessionStorage)).toEqual([]);
  expect([loadSettings().form.prompt, loadPicture(frameSide).picture?.name]).toEqual(['a crab', 'crab.png']);
});
