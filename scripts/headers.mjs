// HTTP response headers of the page, shared by the dev server and the server of the built page.
// Not a server: only the values.

/**
 * Everything comes from the page's own origin. `dev` loosens what Vite's dev client needs (inline styles, its socket),
 * `wasm` lets the bench's peers compile WebAssembly: the bench and its threads alone, see `forBench`.
 * @param {{ dev?: boolean, wasm?: boolean }} [options]
 * @returns {Record<string, string>}
 */
export function pageHeaders({ dev = false, wasm = false } = {}) {
  const policy = {
    'default-src': "'self'",
    'script-src': wasm ? "'self' 'wasm-unsafe-eval'" : "'self'",
    'style-src': dev ? "'self' 'unsafe-inline'" : "'self'",
    'img-src': "'self' blob: data:",
    'media-src': "'self' blob:",
    'connect-src': dev ? "'self' blob: ws:" : "'self' blob:",
    'worker-src': "'self'",
    'object-src': "'none'",
    'base-uri': "'none'",
    'form-action': "'self'",
    'frame-ancestors': "'self'",
  };
  return {
    'Content-Security-Policy': Object.entries(policy)
      .map(([directive, value]) => `${directive} ${value}`)
      .join('; '),
    // Cross-origin isolation gives the worker precise timers.
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  };
}

/** Whether a path is the bench page or its threads: a worker's policy comes with its own script. @param {string} path */
export function forBench(path) {
  return /^\/(bench\.html|src\/bench\/|assets\/bench\.worker-)/.test(path);
}
