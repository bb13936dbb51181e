// A Vite plugin, the same for build, dev server and tests: src/ may import what a model says of itself, though its model.json
// is served from public/, whose files Vite otherwise takes for addresses and warns about. It checks nothing.
import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { root } from './site.mjs';

const prefix = '\0model:';

/** @returns {import('vite').Plugin} */
export function modelJson() {
  return {
    name: 'model-json',
    enforce: 'pre',
    resolveId(source, importer) {
      if (!importer || !/\/public\/models\/[^/]+\/model\.json$/.test(source)) return undefined;
      return prefix + relative(root, resolve(importer, '..', source)); // no absolute path in source maps
    },
    load(id) {
      if (!id.startsWith(prefix)) return undefined;
      const path = resolve(root, id.slice(prefix.length));
      this.addWatchFile(path);
      return readFile(path, 'utf8'); // Vite's own plugin makes a module of it: the name ends in .json
    },
  };
}
