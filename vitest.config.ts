// Unit tests in two projects. `gpu`: in headless Chromium with real WebGPU, for files named *.gpu.test.ts and all of
// test/kernels. `node`: everything else named *.test.ts. The page's end-to-end tests are Playwright's (test/e2e).
// Firefox and Node with a better adapter have configurations of their own.
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { browser } from './scripts/ensure-browser.mjs';
import { modelJson } from './scripts/model-json.mjs';

export const gpuTests = ['test/**/*.gpu.test.{ts,tsx}', 'test/kernels/**/*.test.ts'];
const elsewhere = ['**/node_modules/**', 'test/e2e/**', 'test/variants/**'];

/** A software adapter on two shared cores is slow: time limits are there to end a hang, not to measure. */
export const patience = { testTimeout: 180_000, hookTimeout: 180_000 };

export const building: ViteUserConfig = {
  plugins: [modelJson()],
  // Known from the start: a dependency met in the middle of a run would reload the page under its tests.
  optimizeDeps: {
    include: [
      'wgsl-preprocessor/wgsl-preprocessor.js',
      'fast-check',
      'mediabunny',
      'mp4-muxer',
      'valibot',
      'comlink',
      'preact',
      'preact/hooks',
      'preact/jsx-runtime',
      'preact/jsx-dev-runtime',
      '@preact/signals',
      '@huggingface/tokenizers',
      'signature_pad',
      'gifenc',
    ],
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
};

export default defineConfig(async () => {
  const { executablePath, args, env } = await browser();
  return {
    ...building,
    test: {
      ...patience,
      projects: [
        {
          extends: true as const,
          test: {
            name: 'node',
            environment: 'node',
            include: ['test/**/*.test.{ts,tsx}'],
            exclude: [...elsewhere, ...gpuTests],
          },
        },
        {
          extends: true as const,
          test: {
            name: 'gpu',
            include: gpuTests,
            exclude: elsewhere,
            // One page at a time: SwiftShader already uses every core.
            fileParallelism: false,
            browser: {
              enabled: true,
              headless: true,
              screenshotFailures: false,
              provider: playwright({ launchOptions: { executablePath, args, env } }),
              instances: [{ browser: 'chromium' as const }],
            },
          },
        },
      ],
    },
  };
});
