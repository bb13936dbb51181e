// What the page remembers and tells others: settings, links, and what is stored.
import { disc, expect, makeClip, open, short, test } from './flipbook';

test('settings survive a reload, wrong ones too; tampered storage does no harm', async ({ page }) => {
  await page.goto('/');
  await page.getByLabel('Prompt').fill('a shy ghost');
  await page.getByLabel('Steps').fill('abc');
  await page.getByLabel('Sampler').selectOption('ddim');
  await page.reload();
  await expect(page.getByLabel('Prompt')).toHaveValue('a shy ghost');
  await expect(page.getByLabel('Steps')).toHaveValue('abc');
  await expect(page.getByLabel('Sampler')).toHaveValue('ddim');
  await page.evaluate(() => {
    for (const store of [sessionStorage, localStorage]) store.setItem('flipbook:settings', '[{"prompt":');
  });
  await page.reload();
  await expect(page.getByLabel('Prompt')).toHaveValue('a grinning face');
});

test('a link holds until the form is edited, and may be pasted into the open page', async ({ page }) => {
  const prompt = page.getByLabel('Prompt');
  await open(page, { prompt: 'a rocket' });
  await page.reload();
  await expect(prompt).toHaveValue('a rocket');
  await prompt.fill('a red rocket');
  await expect(page).not.toHaveURL(/#/);
  await page.reload();
  await expect(prompt).toHaveValue('a red rocket');
  await page.evaluate(() => {
    location.hash = '#prompt=a+crab&steps=3';
  });
  await expect(prompt).toHaveValue('a crab');
  await expect(page.getByLabel('Steps')).toHaveValue('3');
  await expect(page.locator('.note')).toContainText('Settings restored from the link.');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(prompt).toHaveValue('a red rocket');
  await expect(page.locator('.note')).toContainText('Your settings are back.');
  await expect(page.getByRole('button', { name: 'Undo' })).toBeFocused(); // It goes forth again.
  await expect(page.getByLabel('Steps')).toHaveValue(short.steps);
  await expect(page).not.toHaveURL(/#/);
});

test('a copied link says whether it is of the clip that is shown', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page);
  await makeClip(page);
  const copied = async (words: string) => {
    await page.getByRole('button', { name: 'Copy link' }).click();
    await expect(page.locator('.note')).toContainText(words);
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(page.url());
  };
  await copied('it brings these settings anywhere, and so the same clip.');
  await page.getByLabel('Steps').fill('3');
  await copied('It holds the settings in the form, which are not those of the clip shown.');
  await page.getByLabel('Steps').fill(short.steps);
  await page.getByRole('button', { name: 'Night paper' }).click(); // That is under the clip, too.
  await copied('and so the same clip.');
});

test('all that is stored can be cleared, without a connection too', async ({ page, context }) => {
  await open(page, { frames: '8' });
  await page.getByLabel('Prompt').fill('a toad'); // What a link says is not stored until it is changed.
  await page.getByLabel('Start picture').setInputFiles(await disc(page, 'red'));
  await makeClip(page);
  const stored = () =>
    page.evaluate(async () => [...(await caches.keys()), ...Object.keys(localStorage), ...Object.keys(sessionStorage)]);
  const keys = ['settings', 'picture', 'pace', 'used-seed'].map((key) => `flipbook:${key}`);
  const all = ['flipbook-weights', 'flipbook-clips', ...keys];
  await expect.poll(stored).toEqual(expect.arrayContaining(all));
  await context.setOffline(true);
  page.once('dialog', (dialog) => dialog.dismiss());
  await page.getByRole('button', { name: 'Clear it' }).click();
  expect(await stored()).toEqual(expect.arrayContaining(all));
  page.once('dialog', (dialog) => dialog.accept());
  await page.getByRole('button', { name: 'Clear it' }).click();
  await expect(page.locator('footer')).toContainText('Cleared:');
  await expect(page.locator('.note')).toContainText('Removed from this machine.');
  expect(await stored()).toEqual([]);
});

test('once there is a clip the browser is asked to keep what is stored; what it says is told', async ({ page }) => {
  await page.addInitScript(() => {
    let isKept = false;
    const asked = { times: 0 };
    Reflect.set(window, 'asked', asked);
    StorageManager.prototype.persisted = async () => isKept;
    StorageManager.prototype.persist = async () => {
      asked.times++;
      isKept = true;
      return true;
    };
  });
  await open(page);
  await expect(page.locator('footer')).toContainText('may clear it when space is short');
  expect(await page.evaluate(() => Reflect.get(window, 'asked').times)).toBe(0);
  await makeClip(page);
  await expect(page.locator('footer')).toContainText('keeps it until you clear it');
  await makeClip(page);
  expect(await page.evaluate(() => Reflect.get(window, 'asked').times)).toBe(1);
});
