// A Vite plugin: bundles the service worker of the built page and tells it which files that page is made of. Of the build alone:
// the dev server has no service worker.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'vite';
import { root } from './site.mjs';

/** Files of public/ that the page's own text names. */
const publicFiles = ['icon.svg', 'manifest.webmanifest'];

/**
 * @param {string} script of the worker, from the site's root
 * @param {() => import('vite').Plugin} licences gathers those of what it bundles
 * @returns {import('vite').Plugin}
 */
export function offline(script, licences) {
  return {
    name: 'offline',
    apply: 'build',
    enforce: 'post', // once all of the page is there
    async generateBundle(_options, bundle) {
      const files = reached(bundle).map((url) => ({
        url,
        revision: url.startsWith('assets/') ? null : revision(text(bundle[url])),
      }));
      for (const url of publicFiles) files.push({ url, revision: revision(await readFile(join(root, 'public', url))) });
      const built = await build({
        root,
        configFile: false,
        logLevel: 'error',
        plugins: [licences()],
        define: { PAGE_FILES: JSON.stringify(files), 'process.env.NODE_ENV': '"production"' },
        build: {
          write: false,
          copyPublicDir: false,
          rolldownOptions: { input: join(root, script), output: { format: 'iife' } },
        },
      });
      if (!('output' in built)) return this.error('the service worker was not built');
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source: built.output[0].code });
    },
  };
}

/**
 * The page, and files whose names stand in the text of one that is reached: no other way would find scripts, styles and workers
 * alike. Not the pages that it links to.
 * @param {import('vite').Rolldown.OutputBundle} bundle
 */
function reached(bundle) {
  const found = new Set(['index.html']);
  for (const name of found) {
    const words = text(bundle[name]);
    for (const other of Object.keys(bundle)) {
      if (!/\.(map|html)$/.test(other) && words.includes(other.replace(/^assets\//, ''))) found.add(other);
    }
  }
  return [...found];
}

/** @param {import('vite').Rolldown.OutputAsset | import('vite').Rolldown.OutputChunk | undefined} file */
function text(file) {
  if (!file) throw new Error('a file of the page is not in its bundle');
  return file.type === 'chunk' ? file.code : Buffer.from(file.source).toString();
}

/** @param {string | Uint8Array} content */
function revision(content) {
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}
