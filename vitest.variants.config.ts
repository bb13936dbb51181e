// The kernel tests on Dawn for Node instead of a browser: for drivers with `shader-f16` or wider subgroups (lavapipe of Mesa 25).
// Not part of `npm test`; test/README.md says how to run it.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'variants',
    environment: 'node',
    include: ['test/kernels/**/*.test.ts'],
    setupFiles: ['test/dawn.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    fileParallelism: false,
  },
});
