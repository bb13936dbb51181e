// Build and dev server of the page. Tests have their own configuration (vitest.config.ts), without these headers.
import { defineConfig } from 'vite';
import { pageHeaders } from './scripts/headers.mjs';

const port = 5173;

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  // WebGPU browsers are all recent: nothing needs lowering.
  build: { target: 'es2023', sourcemap: true, assetsInlineLimit: 0, chunkSizeWarningLimit: 800 },
  server: { port, headers: pageHeaders({ dev: true }) },
  preview: { port, headers: pageHeaders() },
});
