// Gives Node a `navigator.gpu`, Dawn on whichever Vulkan driver VK_ICD_FILENAMES names, and the files that a browser would get
// from the server. For vitest.variants.config.ts; not for the tests in the browser.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]) }, configurable: true });

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { fetch } = globalThis;

/** As Vite serves them: public/ is the top of the site, and the repository lies below it. */
globalThis.fetch = async (input, init) => {
  if (typeof input !== 'string' || !input.startsWith('/')) return fetch(input, init);
  for (const folder of [join(root, 'public'), root]) {
    const bytes = await readFile(join(folder, input)).catch(() => undefined);
    if (bytes) return new Response(new Uint8Array(bytes));
  }
  return new Response(null, { status: 404 });
};
