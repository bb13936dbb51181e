// Build and dev server of the page and of the bench beside it. Tests have their own configuration (vitest.config.ts),
// without these headers.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { defineConfig, type Plugin } from 'vite';
import { forBench, pageHeaders } from './scripts/headers.mjs';
import { modelJson } from './scripts/model-json.mjs';

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

export default defineConfig({
  plugins: [benchPolicy(), modelJson()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
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
