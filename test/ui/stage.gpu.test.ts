// The stage's buttons in a real page: which save what and when, and how they fit.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { page } from 'vitest/browser';
import { button, engine, notice, onStage, open, root, saved } from './on-stage';
import { pixels, sha256 } from './pictures';
import { make } from './visit';

onStage();

const isOff = (name: string) => [button(name).disabled, button(name).ariaDisabled === 'true'];

describe('the buttons', () => {
  const problem = { message: 'The video encoder stopped: taken away', hint: 'Press Download MP4 to try again.' };

  test('a clip without an MP4 gets one when it is asked for, as long as its frames are there', async () => {
    const session = open();
    expect(isOff('Download MP4')).toEqual([true, false]);
    await vi.waitFor(() => expect(session.adapter.value).toBeDefined());
    await make(engine, session, null, problem);
    await vi.waitFor(() => expect(notice()).toContain(problem.hint));
    expect(isOff('Download MP4')).toEqual([false, false]);
    button('Download MP4').click();
    await vi.waitFor(() => expect(isOff('Download MP4')).toEqual([false, true]));
    button('Download MP4').click();
    engine.end();
    await vi.waitFor(() => expect(saved).toEqual([expect.stringMatching(/\.mp4$/)]));
    await vi.waitFor(() => expect(notice()).toBe(''));
    expect(isOff('Download MP4')).toEqual([false, false]);
    expect(engine.log.filter((line) => line === 'record')).toHaveLength(1);
  });

  test('where its frames are lost, there is nothing to make one of, and the keyboard stays', async () => {
    const session = open();
    await vi.waitFor(() => expect(session.adapter.value).toBeDefined());
    await make(engine, session, null, problem);
    await vi.waitFor(() => expect(isOff('Save PNG')).toEqual([false, false]));
    button('Save PNG').focus();
    engine.open(undefined);
    await vi.waitFor(() => expect(isOff('Download MP4')).toEqual([false, true]));
    expect(document.activeElement).toBe(button('Save PNG'));
    for (const name of ['Download MP4', 'Save PNG']) button(name).click();
    expect([engine.log.includes('record'), session.progress.value, saved]).toEqual([false, undefined, []]);
  });

  test('one APNG is packed at a time, and said to be ready; where it cannot be, why', async () => {
    const session = open();
    await make(engine, session);
    let pack = (_file: Blob): void => undefined;
    let fail = (_why: unknown): void => undefined;
    const animation = vi.spyOn(engine, 'animation').mockImplementation(
      () =>
        new Promise((resolve, reject) => {
          pack = resolve;
          fail = reject;
        }),
    );
    await vi.waitFor(() => expect(isOff('Download APNG')).toEqual([false, false]));
    button('Download APNG').click();
    button('Download APNG').click();
    expect(animation).toHaveBeenCalledTimes(1);
    expect(session.note.value).toMatch(/^Packing/);
    pack(new Blob(['apng']));
    await vi.waitFor(() => expect(saved).toEqual([expect.stringMatching(/\.apng$/)]));
    expect([session.note.value, session.announcement.value]).toEqual(Array(2).fill('The APNG is ready.'));
    button('Download APNG').click();
    expect(animation).toHaveBeenCalledTimes(2);
    fail({ code: 'gone', message: 'Another clip was finished first.', hint: 'It is below.' });
    await vi.waitFor(() => expect(notice()).toContain('That clip has left the stage'));
    expect(session.note.value).toBe('');
    expect(saved).toHaveLength(1);
  });

  test('a GIF is packed like an APNG, beside one, and each is said to be ready', async () => {
    const session = open();
    await make(engine, session);
    const packing = new Map<string, (file: Blob) => void>();
    const animation = vi
      .spyOn(engine, 'animation')
      .mockImplementation(({ kind }) => new Promise((resolve) => packing.set(kind, resolve)));
    await vi.waitFor(() => expect(isOff('Download GIF')).toEqual([false, false]));
    for (const name of ['Download GIF', 'Download APNG', 'Download GIF']) button(name).click();
    expect(animation.mock.calls).toEqual([[{ kind: 'gif', side: 256 }], [{ kind: 'apng', side: 256 }]]);
    packing.get('gif')?.(new Blob(['gif']));
    await vi.waitFor(() => expect(saved).toEqual([expect.stringMatching(/\.gif$/)]));
    expect([session.note.value, session.announcement.value]).toEqual(Array(2).fill('The GIF is ready.'));
    packing.get('apng')?.(new Blob(['apng']));
    await vi.waitFor(() => expect(session.note.value).toBe('The APNG is ready.'));
  });

  test('one MP4 is saved, however often it is asked for while it is put on another paper', async () => {
    const session = open();
    await make(engine, session);
    session.edit('background', '#123456');
    await vi.waitFor(() => expect(isOff('Download MP4')).toEqual([false, false]));
    for (let i = 0; i < 3; i++) button('Download MP4').click();
    await vi.waitFor(() => expect(engine.log).toContain('record'));
    engine.end();
    await vi.waitFor(() => expect(session.progress.value).toBeUndefined());
    await vi.waitFor(() => expect(saved).toEqual([expect.stringMatching(/\.mp4$/)]));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(saved).toHaveLength(1);
    button('Download MP4').click();
    await vi.waitFor(() => expect(saved).toHaveLength(2));
  });

  test.each(['APNG', 'GIF'])(
    'a clip that has no MP4 is at risk with one page of it saved, no longer with its %s',
    async (kind) => {
      const session = open();
      await make(engine, session, null, problem);
      await vi.waitFor(() => expect(isOff('Save PNG')).toEqual([false, false]));
      button('Save PNG').click();
      await vi.waitFor(() => expect(saved).toEqual([expect.stringMatching(/\.png$/)]));
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(session.isAtRisk.value).toBe(true);
      button(`Download ${kind}`).click();
      await vi.waitFor(() => expect(session.isAtRisk.value).toBe(false));
    },
  );

  test('a clip that is not stored is no longer at risk once its MP4 is saved', async () => {
    const session = open();
    await make(engine, session);
    await session.clearStored();
    expect(session.isAtRisk.value).toBe(true);
    await vi.waitFor(() => expect(isOff('Download MP4')).toEqual([false, false]));
    button('Download MP4').click();
    await vi.waitFor(() => expect(session.isAtRisk.value).toBe(false));
    expect(saved).toEqual([expect.stringMatching(/\.mp4$/)]);
  });

  test('a link that names a start picture says that it does not hold it, missing or not', async () => {
    const before = location.href;
    const session = open({ hash: `#prompt=a+crab&picture=${sha256}` });
    button('Copy link').click();
    await vi.waitFor(() => expect(session.note.value).toMatch(/does not hold the start picture: the same clip needs/));
    expect(location.hash).toContain(sha256);
    session.start.bring({ name: 'Drawing', sha256, pixels, file: new Uint8Array(1) });
    button('Copy link').click();
    await vi.waitFor(() =>
      expect(session.note.value).toMatch(/does not hold the start picture: press “Save it” there/),
    );
    history.replaceState(null, '', before);
  });
});

describe('Share', () => {
  const share = vi.fn();
  const allow = (canShare: (data: ShareData) => boolean) =>
    Object.defineProperties(navigator, {
      canShare: { value: canShare, configurable: true },
      share: { value: share, configurable: true },
    });
  beforeEach(() => void share.mockReset());
  afterEach(() => {
    for (const name of ['canShare', 'share']) Reflect.deleteProperty(navigator, name);
  });

  test('is not offered without an MP4, nor where the browser shares none', async () => {
    allow(() => true);
    const session = open();
    await make(engine, session, null);
    await vi.waitFor(() => expect(isOff('Download MP4')).toEqual([false, false]));
    expect(button('Share')).toBeUndefined();
    allow(() => false);
    await make(engine, session);
    await vi.waitFor(() => expect(button('Download MP4').textContent).toContain('kB'));
    expect(button('Share')).toBeUndefined();
  });

  test('hands over the file that Download MP4 saves; that it was not wanted is no failure', async () => {
    allow(({ files }) => files?.[0]?.type === 'video/mp4');
    const session = open();
    await make(engine, session);
    await session.clearStored();
    await vi.waitFor(() => expect(button('Share')).toBeDefined());
    session.note.value = '';
    share.mockRejectedValueOnce(new DOMException('never mind', 'AbortError'));
    button('Share').click();
    await vi.waitFor(() => expect(share).toHaveBeenCalledTimes(1));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([notice(), session.note.value, session.isAtRisk.value]).toEqual(['', '', true]);
    button('Share').click();
    await vi.waitFor(() => expect(session.isAtRisk.value).toBe(false));
    const [{ title, files }] = share.mock.lastCall as [Required<ShareData>];
    button('Download MP4').click();
    await vi.waitFor(() => expect(saved).toEqual([files[0]?.name]));
    expect([title, await files[0]?.text()]).toEqual([session.clip.value?.title, 'mp4']);
  });

  test('asks for another click where the first one is too long ago; other failures are told', async () => {
    allow(() => true);
    const session = open();
    await make(engine, session);
    await vi.waitFor(() => expect(button('Share')).toBeDefined());
    share.mockRejectedValueOnce(new DOMException('no click', 'NotAllowedError'));
    button('Share').click();
    await vi.waitFor(() => expect(session.note.value).toBe('The MP4 is ready: press Share once more.'));
    share.mockRejectedValueOnce(new DOMException('broken', 'DataError'));
    button('Share').click();
    await vi.waitFor(() => expect(notice()).toContain('broken'));
  });

  test.each([320, 360, 480, 600, 1280])('stands beside Download MP4 on a page %i pixels wide', async (width) => {
    await page.viewport(width, 800);
    allow(() => true);
    const session = open();
    await make(engine, session);
    await vi.waitFor(() => expect(button('Share')).toBeDefined());
    const [file, shared] = ['Download MP4', 'Share'].map((name) => button(name).getBoundingClientRect()) as [
      DOMRect,
      DOMRect,
    ];
    expect([shared.top, shared.height]).toEqual([file.top, file.height]);
    expect(shared.left).toBeGreaterThan(file.right);
    expect(shared.right).toBeLessThanOrEqual(root.getBoundingClientRect().right);
    expect(shared.height).toBeGreaterThanOrEqual(36);
    await page.viewport(414, 896);
  });
});

test.each([320, 360, 390, 480, 600, 768, 1280])(
  'the loops fit, side by side where there is room, on a page %i pixels wide',
  async (width) => {
    await page.viewport(width, 800);
    const session = open();
    await make(engine, session);
    await vi.waitFor(() => expect(button('Download MP4').textContent).toContain('kB'));
    const [apng, gif] = ['Download APNG', 'Download GIF'].map((name) => button(name).getBoundingClientRect());
    const right = Math.max(apng.right, gif.right);
    expect(right).toBeLessThanOrEqual(root.getBoundingClientRect().right);
    if (width >= 480) expect([gif.top, gif.height]).toEqual([apng.top, apng.height]);
    for (const { height } of [apng, gif]) {
      expect(height).toBeGreaterThanOrEqual(40);
      expect(height, 'one line of words').toBeLessThan(60);
    }
    await page.viewport(414, 896);
  },
);
