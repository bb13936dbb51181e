// Build and dev server of the page and of the bench beside it. Tests have their own configuration (vitest.config.ts),
// without these headers.
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type LicenseInfo, licensePlugin } from 'rolldown-license-plugin';
import { defineConfig, type Plugin } from 'vite';
import { forBench, pageHeaders } from './scripts/headers.mjs';
import { modelCard } from './scripts/model-card.mjs';
import { modelJson } from './scripts/model-json.mjs';
import { offline } from './scripts/offline.mjs';
import { root } from './scripts/site.mjs';

const port = 5173;

/** The bench's peers are WebAssembly, which the page's policy forbids: the bench's own answers carry a policy that does not. */
function benchPolicy(): Plugin {
  const loosen =
    (dev: boolean) =>
    (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
      if (forBench(request.url ?? '')) {
        const policy = pageHeaders({ dev, wasm: true })['Content-Security-Policy']!;
        const set = response.setHeader.bind(response);
        response.setHeader = (name, value) =>
          set(name, name.toLowerCase() === 'content-security-policy' ? policy : value);
      }
      next();
    };
  return {
    name: 'bench-policy',
    configureServer: (server) => void server.middlewares.use(loosen(true)),
    configurePreviewServer: (server) => void server.middlewares.use(loosen(false)),
  };
}

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const mit = (copyright: string) => read('LICENSE').replace(/^Copyright .*$/m, copyright); // ours, with their copyright
const google = `Copyright 2017 to 2024 Google LLC. All Rights Reserved.\n\n${read('public/models/sticker/LICENSE-APACHE')}`;

/** Of packages that name their licence and bring no text: that licence, with the copyright that their sources name. */
const missingTexts: Readonly<Record<string, string>> = {
  '@tensorflow/tfjs-backend-cpu': google,
  '@tensorflow/tfjs-backend-webgpu': google,
  '@tensorflow/tfjs-core': google,
  'onnxruntime-web': mit('Copyright (c) Microsoft Corporation. All rights reserved.'),
  seedrandom: mit('Copyright 2019 David Bau.'),
};

/** Of what the page and its workers bundle, by name and version. */
const bundled = new Map<string, LicenseInfo>();

/** Workers are bundled by themselves: their licences are gathered, and the page's build writes all of them at its very end. */
function licences(of: 'worker' | 'page'): Plugin {
  const plugin = licensePlugin({
    failOnUnlicensed: true,
    done(found, context) {
      for (const licence of found) bundled.set(`${licence.name} ${licence.version}`, licence);
      if (of === 'worker') return;
      const texts = [...bundled]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([title, { name, license, licenseText }]) => {
          const text = licenseText.trim() || missingTexts[name]?.trim();
          return text
            ? `${title} (${license})\n\n${text}\n`
            : context.error(`${title} brings no text of its licence, ${license}`);
        });
      const source = `\uFEFF${texts.join(`\n${'-'.repeat(80)}\n\n`)}`; // the mark: servers do not say that it is UTF-8
      context.emitFile({ type: 'asset', fileName: 'licences.txt', source });
    },
  }) as Plugin; // Vite's own, but for exactOptionalPropertyTypes
  return of === 'page' ? { ...plugin, enforce: 'post' } : plugin;
}

export default defineConfig({
  plugins: [
    benchPolicy(),
    modelJson(),
    modelCard('models/sticker'),
    offline('src/service-worker.ts', () => licences('worker')),
    licences('page'),
  ],
  // No single-page app: an address that is none is answered 404.
  appType: 'mpa',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es', plugins: () => [licences('worker')] },
  // WebGPU browsers are all recent: nothing needs lowering.
  build: {
    target: 'es2023',
    sourcemap: true,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    // onnxruntime's 27 MB of the bench would take longer to squeeze than the page to build.
    reportCompressedSize: false,
    rolldownOptions: { input: ['index.html', 'bench.html'] },
  },
  server: { port, headers: pageHeaders({ dev: true }) },
  preview: { port, headers: pageHeaders() },
});
