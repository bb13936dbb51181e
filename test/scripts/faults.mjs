// Loaded before `npm run generate` by its test: the same browser, with the fault that FLIPBOOK_FAULT names. Not a test.
import { writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** @type {Record<string, (page: import('playwright-core').Page) => Promise<void>>} */
const faults = {
  async 'no encoder'(page) {
    await page.route('**/assets/worker-*.js', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `delete self.VideoEncoder;\n${await response.text()}` });
    });
  },
  async 'no room'(page) {
    page.on('download', (download) => {
      download.saveAs = async (path) => {
        writeFileSync(path, 'half of it');
        throw new Error('no space left on device');
      };
    });
  },
};

const launch = chromium.launch.bind(chromium);
chromium.launch = async (options) => {
  const browser = await launch(options);
  const newPage = browser.newPage.bind(browser);
  browser.newPage = async (given) => {
    const page = await newPage(given);
    await faults[process.env.FLIPBOOK_FAULT ?? '']?.(page);
    return page;
  };
  return browser;
};
