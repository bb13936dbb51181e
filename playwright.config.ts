// End-to-end tests: the built page, served with its production headers, in the same browser as the unit tests.
import { defineConfig } from '@playwright/test';
import { browser } from './scripts/ensure-browser.mjs';

const { executablePath, args, env } = await browser();
const port = Number(process.env.FLIPBOOK_TEST_PORT ?? 4173);
// A folder of its own: a test run must not change what `npm start` is serving.
const site = `node_modules/.cache/e2e-site-${port}`;

export default defineConfig({
  testDir: 'test/e2e',
  outputDir: 'test-results/e2e',
  // A software adapter uses every core by itself.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 180_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: {
    baseURL: `http://localhost:${port}`,
    browserName: 'chromium',
    headless: true,
    launchOptions: { executablePath, args, env },
    serviceWorkers: 'block', // it would answer what a test means to
    trace: 'off',
    screenshot: 'only-on-failure',
  },
  webServer: {
    command: `npx vite build --logLevel warn --outDir ${site} && npx vite preview --outDir ${site} --port ${port} --strictPort`,
    url: `http://localhost:${port}`,
    timeout: 300_000,
    reuseExistingServer: false,
  },
});
