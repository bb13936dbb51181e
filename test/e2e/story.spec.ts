// Stories: several scenes in one prompt, as one clip; what is told where a story is wrong.
import { download, expect, generate, makeClip, open, probe, test, xmp } from './flipbook';

const prompt = 'egg > hatching chick > rooster';

test('a prompt of three scenes becomes one clip, with a picture of each; the file and the link say so', async ({
  page,
}) => {
  await open(page, { frames: '24' });
  await page.getByRole('button', { name: prompt }).click();
  await expect(page.getByLabel('Prompt')).toHaveValue(prompt);
  await expect(page.getByLabel('Prompt')).toHaveAccessibleDescription(/story: egg > chick > rooster/);
  await page.evaluate(() => {
    const words: string[] = [];
    Reflect.set(window, 'progressWords', words);
    new MutationObserver(() => {
      const told = document.querySelector('[role=progressbar]')?.getAttribute('aria-valuetext');
      if (told) words.push(told);
    }).observe(document.body, { subtree: true, childList: true, attributes: true });
  });
  await makeClip(page);
  const words = (await page.evaluate(() => Reflect.get(window, 'progressWords'))).join('\n');
  for (const scene of [1, 2, 3]) expect(words).toContain(`Drawing scene ${scene} of 3`);
  expect(words).toContain('Making it move');
  await expect(page.locator('.caption q')).toHaveText(prompt);

  const { path, file } = await download(page);
  expect(file.suggestedFilename()).toMatch(/^egg-hatching-chick-rooster-\d+\.mp4$/);
  expect(probe(path)).toMatchObject({ frames: 24 });
  expect(xmp(path)).toMatchObject({ Prompt: prompt });
  await page.getByRole('button', { name: 'Copy link' }).click();
  await page.evaluate(() => {
    localStorage.clear();
    sessionStorage.clear();
  });
  await page.reload();
  await expect(page.getByLabel('Prompt')).toHaveValue(prompt);
});

test('an empty scene and too few frames are told at their controls', async ({ page }) => {
  await open(page, { frames: '16', prompt: 'a cat > > a dog' });
  await generate(page);
  await expect(page.getByLabel('Prompt')).toBeFocused();
  await expect(page.getByLabel('Prompt')).toHaveAccessibleDescription(/nothing for scene 2 of 3.*Say what is there/);
  await page.getByLabel('Prompt').fill('a cat > a bird > a dog');
  await generate(page);
  await expect(page.getByLabel('Frames')).toBeFocused();
  await expect(page.getByLabel('Frames')).toHaveAccessibleDescription(
    /“16”.*24 to \d+ for 3 scenes.*Try 24, or fewer scenes/,
  );
});
