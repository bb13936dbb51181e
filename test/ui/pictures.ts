// Start pictures for the tests of the page's state: files that are read by a reader of one's own, without a browser.
import { vi } from 'vitest';
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
/** Every file is another picture, with its name. */
export const each = {
  readPicture: async ({ name }: File) => ({
    name,
    sha256: Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64),
    pixels,
  }),
};

/** What turns pixels into a file; `vi.unstubAllGlobals()` ends it. */
export function stubCanvas(): void {
  vi.stubGlobal('ImageData', class {});
  vi.stubGlobal(
    'OffscreenCanvas',
    class {
      getContext = () => ({ putImageData: () => undefined });
      convertToBlob = async () => new Blob(['png']);
    },
  );
}
