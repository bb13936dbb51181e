// Visits with no server, and with a newer page on it, by the service worker that the other specs do without. Each test has a
// server of its own, which it can change and close.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, expect } from '@playwright/test';
import { type PreviewServer, preview } from 'vite';
import { download, makeClip, pixels, short, tiny } from './flipbook';

interface Site {
  readonly folder: string;
  readonly address: string;
  close(): Promise<void>;
}

const test = base.extend<{ site: Site }>({
  // The built page with the tiny model.
  site: async ({ baseURL }, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'flipbook-site-'));
    const built = `node_modules/.cache/e2e-site-${new URL(baseURL ?? '').port}`;
    await cp(built, folder, { recursive: true, filter: (path) => !/\/models\/|\.map$|\.wasm$/.test(path) });
    await cp(tiny, join(folder, 'models/sticker'), { recursive: true });
    const server: PreviewServer = await preview({ build: { outDir: folder }, preview: { port: 0 }, logLevel: 'error' });
    const address = server.resolvedUrls?.local[0];
    if (!address) throw new Error('the server has no address');
    await use({ folder, address, close: () => server.close() });
    await server.close();
    await rm(folder, { recursive: true });
  },
});
test.use({ serviceWorkers: 'allow' });

test('after one visit the page opens and draws without a network, until what is stored is cleared', async ({
  page,
  site,
}) => {
  await page.goto(`${site.address}#${new URLSearchParams({ ...short, prompt: 'a cat' })}`);
  await makeClip(page);
  const first = pixels((await download(page)).path);
  await page.evaluate(() => navigator.serviceWorker.ready);

  await site.close();
  await page.reload();
  expect(await page.evaluate(() => fetch('/bench.html').then(String, () => 'no network'))).toBe('no network');
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await makeClip(page);
  expect(pixels((await download(page)).path)).toBe(first);

  page.on('dialog', (dialog) => void dialog.accept());
  await page.getByRole('button', { name: 'Clear it' }).click();
  await expect(page.getByText('Cleared:')).toBeVisible();
  await expect(page.reload()).rejects.toThrow('ERR_CONNECTION_REFUSED');
});

test('a server that is down and says so is none, either', async ({ page, site }) => {
  await page.goto(`${site.address}#${new URLSearchParams({ ...short, prompt: 'a cat' })}`);
  await makeClip(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await site.close();
  const down = createServer((_request, response) => response.writeHead(503).end('down'));
  await new Promise<void>((resolve) => down.listen(Number(new URL(site.address).port), resolve));
  try {
    await page.reload();
    expect(await page.evaluate(() => fetch('/bench.html').then(({ status }) => status))).toBe(503);
    await makeClip(page);
  } finally {
    down.closeAllConnections();
    down.close();
  }
});

test('with a network the newest page is shown, and from then on without one, too', async ({ page, site }) => {
  await page.goto(site.address);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  expect(await page.evaluate(() => navigator.serviceWorker.controller?.state)).toBe('activated');
  const index = join(site.folder, 'index.html');
  const worker = join(site.folder, 'service-worker.js');
  await writeFile(index, (await readFile(index, 'utf8')).replace('<body>', '<body class="newer">'));
  const revised = (await readFile(worker, 'utf8')).replace(/(index\.html.{1,2}revision:.)[0-9a-f]+/, '$1newer');
  expect(revised).toContain('newer');
  await writeFile(worker, revised);
  await page.reload();
  await expect(page.locator('body')).toHaveClass('newer');

  // The new worker clears away what the old one kept, once it has taken over.
  const kept = () =>
    page.evaluate(async () => {
      const name = (await caches.keys()).find((key) => key.includes('precache')) ?? '';
      const addresses = (await (await caches.open(name)).keys()).map(({ url }) => url);
      return addresses.filter((url) => url.includes('index.html')).map((url) => url.split('=').at(-1));
    });
  await expect.poll(kept).toEqual(['newer']);
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller?.state)).toBe('activated');
  await site.close();
  await page.reload();
  await expect(page.locator('body')).toHaveClass('newer');
});
