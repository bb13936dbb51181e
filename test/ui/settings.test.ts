// What is removed from the browser's storage. What is kept there is session.test.ts's and kept-picture.test.ts's.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { clearStorage } from '../../src/ui/settings';
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
