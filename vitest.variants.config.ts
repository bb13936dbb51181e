// What needs `shader-f16` or subgroups of eight, on Dawn for Node instead of a browser: the kernels' variants, and the embedded
// model against PyTorch's outputs. scripts/ensure-vulkan.mjs finds or fetches a driver that has them.
import { defineConfig } from 'vitest/config';
import { modelJson } from './scripts/model-json.mjs';

export default defineConfig({
  plugins: [modelJson()],
  test: {
    name: 'variants',
    environment: 'node',
    include: ['test/variants/**/*.test.ts', 'test/models/goldens.gpu.test.ts'],
    setupFiles: ['test/dawn.ts'],
    // Most of the time is a compiler's, and that has one thread.
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
