// The bench page, built and served as visitors get it: it runs one small case with every peer, verifies each arm, and
// gives the result. How fast anything is, is not tested.
import { expect, test } from '@playwright/test';
import type { BenchResult } from '../../src/bench/result';

test('runs and verifies a case, shows it, and gives it to copy', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto('./bench.html?run&quick&only=linear');
  await expect(page.getByRole('status')).toHaveText(/^Done in/, { timeout: 150_000 });
  const json = await page.getByRole('textbox', { name: 'Result as JSON' }).inputValue();
  const result = JSON.parse(json) as BenchResult;
  expect(result.failures).toEqual([]);
  expect(result.ceilings!.gflops).toBeGreaterThan(0);
  const [found] = result.cases;
  const verified = found!.arms.filter(({ error }) => error !== undefined && error < 1e-4).map(({ runtime }) => runtime);
  expect(verified).toEqual(
    expect.arrayContaining(['flipbook', 'onnxruntime-web', 'tfjs', 'jax-js', 'onnxruntime-web wasm']),
  );
  expect(result.ratios.linear).toBeGreaterThan(0);
  await expect(page.getByRole('table')).toContainText('Flipbook');
  await expect(page.getByRole('table').getByRole('caption')).toContainText(/MFLOP, .* MB/);
  await page.getByRole('button', { name: 'Copy the result as JSON' }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(json);
});

test('tunes for this adapter in the time that is given, and the browser keeps it', async ({ page }) => {
  await page.goto('./bench.html?run&only=&tune=4');
  await expect(page.getByRole('status')).toHaveText(/^Done in .* Tuning: .* s of at most 4\.0 s/, { timeout: 120_000 });
  const json = await page.getByRole('textbox', { name: 'Result as JSON' }).inputValue();
  const { tuning, failures } = JSON.parse(json) as BenchResult;
  expect(failures).toEqual([]);
  expect(tuning).toMatchObject({ budget: 4000, remembered: true });
  expect(tuning!.problems).toBeGreaterThan(5);
  expect(tuning!.milliseconds).toBeLessThan(8000);
  const kept = await page.evaluate(async () => {
    const cache = await caches.open('flipbook-tuning');
    const [request] = await cache.keys();
    return request && (await (await cache.match(request))!.json());
  });
  expect(Object.keys(kept.variants)).toHaveLength(tuning!.measured);
});

test('WebAssembly is allowed on the bench alone, and the page loads nothing of the peers', async ({ page }) => {
  const requested: string[] = [];
  page.on('request', (request) => requested.push(request.url()));
  const main = await page.goto('./');
  await page.waitForLoadState('networkidle');
  expect(main!.headers()['content-security-policy']).not.toContain('wasm-unsafe-eval');
  expect(requested.filter((url) => /bench|\/ort[.-]|\.wasm|tfjs|jax/.test(new URL(url).pathname))).toEqual([]);
  const bench = await page.request.get('./bench.html');
  expect(bench.headers()['content-security-policy']).toContain("'wasm-unsafe-eval'");
});
