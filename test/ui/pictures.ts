// Start pictures for the tests of the page's state: files that are read by a reader of one's own, without a browser.
import type { StartPicture } from '../../src/media/picture';
import { frameSide } from '../../src/options';

export const sha256 = 'ab'.repeat(32);
export const pixels = {
  width: frameSide,
  height: frameSide,
  data: new Uint8ClampedArray(frameSide * frameSide * 4).fill(7),
};
export const file = (name: string) => new File(['x'], name, { type: 'image/png' });
export const reader = (result: () => StartPicture | Promise<StartPicture>) => ({ readPicture: async () => result() });
export const good = reader(() => ({ name: 'cat.png', sha256, pixels }));
