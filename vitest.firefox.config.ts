// The browser tests again, in Firefox: another compiler of WGSL (Naga), another implementation of WebGPU (wgpu), other codecs.
import { defineConfig } from 'vitest/config';
import { firefox } from './test/firefox.ts';
import { building, gpuTests, patience } from './vitest.config.ts';

/**
 * Kernels for subgroups, which Firefox lacks; how Chromium hands a canvas on, tells of no memory, converts the colours of what it
 * decodes, and is launched.
 */
const chromiumAlone = [
  'test/browser.gpu.test.ts',
  'test/generate/failures.gpu.test.ts',
  'test/gpu/device.gpu.test.ts',
  'test/gpu/memory.gpu.test.ts',
  'test/media/canvas.gpu.test.ts',
  'test/media/mp4.gpu.test.ts',
  'test/media/selfcheck.gpu.test.ts',
  'test/ops/tune.gpu.test.ts',
];
/** They change the size of the window, which takes Playwright. */
const playwrightAlone = ['test/ui/stage.gpu.test.ts'];
/** Minutes on lavapipe, for little that the others do not show. */
const long = [
  'test/generate/generate.gpu.test.ts',
  'test/generate/picture.gpu.test.ts',
  'test/kernels/attention.test.ts',
];

export default defineConfig({
  ...building,
  test: {
    ...patience,
    name: 'firefox',
    include: gpuTests,
    exclude: ['**/node_modules/**', 'test/variants/**', ...chromiumAlone, ...playwrightAlone, ...long],
    fileParallelism: false,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: firefox,
      instances: [{ browser: 'firefox' }],
    },
  },
});
