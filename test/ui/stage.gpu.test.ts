// The stage in a real page: which buttons save what and when, what the book shows, what goes on around it, and a caption that takes
// as much room as the progress before it.
import { h, render } from 'preact';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { page } from 'vitest/browser';
import { mount } from '../../src/ui/app';
import type { Progress } from '../../src/ui/progress';
import { createSession, type SessionOptions } from '../../src/ui/session';
import { Stage } from '../../src/ui/stage';
import '../../src/ui/style/page.css';
import { type FakeEngine, fakeEngine } from './fake-engine';
import { pixels, sha256 } from './pictures';
import { emptyStore, make } from './visit';

/** Names of files that were saved. */
let saved: string[] = [];
let engine: FakeEngine;
let root: HTMLElement;

beforeEach(() => {
  saved = [];
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    saved.push(this.download);
  });
  sessionStorage.clear();
  localStorage.clear();
  engine = fakeEngine();
  // As index.html and app.tsx have it around the stage.
  root = document.createElement('div');
  root.className = 'page';
  document.body.append(root);
});
afterEach(() => {
  render(null, root);
  root.remove();
  vi.restoreAllMocks();
});

function open(options: SessionOptions = {}) {
  const session = createSession(engine, { clipStore: emptyStore, ...options });
  render(h('main', {}, h(Stage, { session })), root);
  return session;
}

const button = (name: string) =>
  [...document.querySelectorAll('button')].find(({ textContent }) => textContent.includes(name)) as HTMLButtonElement;
const isOff = (name: string) => [button(name).disabled, button(name).ariaDisabled === 'true'];
const notice = () => document.querySelector('.notice')?.textContent ?? '';

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

  test('where its frames are lost, there is nothing to make one of', async () => {
    const session = open();
    await vi.waitFor(() => expect(session.adapter.value).toBeDefined());
    await make(engine, session, null, problem);
    engine.open(undefined);
    await vi.waitFor(() => expect(isOff('Download MP4')).toEqual([true, false]));
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
    const session = createSession(engine, { clipStore: emptyStore, hash: `#prompt=a+crab&picture=${sha256}` });
    render(h('main', {}, h(Stage, { session })), root);
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

const find = <Kind extends HTMLElement>(selector: string) => document.querySelector<Kind>(selector)!;
const step = { type: 'step', index: 1, of: 8, stage: 'picture', share: 0.1, eta: 1 } as const;

describe('the book', () => {
  test('shows a preview, and is said to, only once there is one', async () => {
    const session = open();
    await make(engine, session);
    const run = session.generate();
    engine.send({ type: 'load', loaded: 1, total: 9 });
    await vi.waitFor(() => expect(find('.progress').textContent).toContain('Fetching the model'));
    expect(find('.screen').ariaLabel).toMatch(/^Clip: /);
    engine.send(step);
    await vi.waitFor(() => expect(find('.screen').ariaLabel).toBe('Preview of the clip in the making'));
    engine.end();
    await run;
  });

  test.each([
    ['its MP4', new Blob(['mp4'])],
    ['that there is nothing', null],
  ])(
    'of a clip whose frames are lost it shows %s, and nothing of a preview that was cancelled',
    async (_what, video) => {
      const session = open();
      await vi.waitFor(() => expect(session.adapter.value).toBeDefined());
      await make(engine, session, video);
      const isGone = async () => {
        await vi.waitFor(() => expect(find('div.screen').hidden).toBe(true));
        expect(find('video.screen') !== null).toBe(video !== null);
        const words = video ? undefined : 'A blank page.The frames of this clip are lost, and it had no MP4.';
        expect(find('.empty')?.textContent).toBe(words);
      };
      engine.open(undefined);
      await isGone();
      const run = session.generate();
      engine.send(step);
      await vi.waitFor(() => expect(find('div.screen').hidden).toBe(false));
      expect(find('.empty')).toBeNull();
      session.cancel();
      await run;
      await isGone();
    },
  );

  test.each([
    ['#prompt=a+crab', /^A clip by link\..*its settings are all here/],
    ['#prompt=a+crab&steps=0', /^A blank page\.Describe a sticker/],
    [
      '#prompt=a+crab&model=sticker+0.1.0',
      /^Settings by link\.Press Generate: this model draws its own clip with them/,
    ],
  ])('says of the link %s no more than is true', async (hash, words) => {
    open({ hash });
    expect(find('.empty').textContent).toMatch(words);
  });

  test('knows a link of another model that was pasted', async () => {
    const session = open();
    session.openLink('#prompt=a+crab&model=sticker+0.1.0');
    await vi.waitFor(() => expect(find('.empty').textContent).toMatch(/^Settings by link/));
    session.openLink('#prompt=a+crab');
    await vi.waitFor(() => expect(find('.empty').textContent).toMatch(/^A clip by link/));
  });
});

describe('the page around it', () => {
  function openPage(options: SessionOptions = {}) {
    const session = createSession(engine, { clipStore: emptyStore, ...options });
    mount(root, session);
    return session;
  }
  const press = (selector: string, keys: KeyboardEventInit = {}) =>
    find(selector).dispatchEvent(
      new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...keys }),
    );

  test.each([
    ['goes away on a phone, where it would cover them', true],
    ['stays elsewhere', false],
  ])('Enter in the prompt begins a clip, and the keyboard %s', async (_what, isPhone) => {
    const { matchMedia } = window;
    vi.spyOn(window, 'matchMedia').mockImplementation((query) =>
      query.includes('pointer') ? ({ matches: isPhone } as MediaQueryList) : matchMedia(query),
    );
    const session = openPage();
    expect(find<HTMLTextAreaElement>('#prompt').enterKeyHint).toBe('go');
    find('#prompt').focus();
    press('#prompt');
    await vi.waitFor(() => expect(engine.asked).toHaveLength(1));
    expect(document.activeElement).toBe(isPhone ? document.body : find('#prompt'));
    engine.end();
    await vi.waitFor(() => expect(session.progress.value).toBeUndefined());
    session.edit('steps', 'abc');
    find('#prompt').focus();
    press('#prompt');
    await vi.waitFor(() => expect(document.activeElement).toBe(find('#steps')));
  });

  test('that the model is fetched is not said once it was, though the first clip was cancelled', async () => {
    const session = openPage();
    const isSaid = () => find('.go .help').textContent.includes('The first clip fetches the model');
    await vi.waitFor(() => expect(isSaid()).toBe(true));
    const fetching = session.generate();
    session.cancel();
    await fetching;
    await vi.waitFor(() => expect(isSaid()).toBe(true));
    const run = session.generate();
    engine.send({ type: 'compile', done: 1, total: 9 });
    await vi.waitFor(() => expect(isSaid()).toBe(false));
    session.cancel();
    await run;
    await vi.waitFor(() => expect(find('.go .help').textContent).toContain('Enter does the same'));
    expect(isSaid()).toBe(false);
  });

  test('a notice that goes away by itself hands the keyboard on', async () => {
    const session = openPage();
    const lost = session.generate();
    engine.end({ code: 'device-lost', message: 'gone', hint: '' });
    await lost;
    await vi.waitFor(() => expect(button('Dismiss')).toBeDefined());
    button('Dismiss').focus();
    await vi.waitFor(() => {
      press('.notice button', { ctrlKey: true }); // The page hears keys after a frame.
      expect(engine.asked).toHaveLength(2);
    });
    expect(document.activeElement).toBe(find('.go .generate'));
    await vi.waitFor(() => expect(notice()).toBe(''));
    expect(document.activeElement).toBe(find('.go .generate'));
    engine.end();
  });

  test('an earlier clip that the browser did not take is no longer at risk once its MP4 is saved', async () => {
    let stored = 0;
    const session = openPage({
      clipStore: { ...emptyStore, keep: async () => (stored++ > 0 ? 'a name' : undefined) },
    });
    const isAsked = () => !dispatchEvent(new Event('beforeunload', { cancelable: true }));
    await make(engine, session);
    await vi.waitFor(() => expect(isAsked()).toBe(true));
    await make(engine, session);
    await vi.waitFor(() => expect(find('.shelf li')).not.toBeNull());
    expect([session.earlier.kept.value, isAsked()]).toEqual(['all', true]);
    find('.shelf li button').click();
    expect(saved).toEqual([expect.stringMatching(/\.mp4$/)]);
    expect(isAsked()).toBe(false);
  });

  test('a colour of three digits is shown as it is, one that is wrong as white', async () => {
    const session = openPage();
    for (const [typed, shown] of [
      ['#aBc', '#aabbcc'],
      ['#abcd', '#ffffff'],
    ]) {
      session.edit('background', typed);
      await vi.waitFor(() => expect(find<HTMLInputElement>('.well').value).toBe(shown));
    }
  });
});

describe.each([320, 360, 390, 480, 600, 1280])('the caption on a page %i pixels wide', (width) => {
  const caption = () => document.querySelector('.caption') as HTMLElement;
  const outside = () => {
    const { top, bottom, left, right } = caption().getBoundingClientRect();
    return [...caption().querySelectorAll('*')].filter((element) => {
      const box = element.getBoundingClientRect();
      return box.top < top || box.bottom > bottom || box.left < left - 1 || box.right > right + 1;
    });
  };
  afterAll(() => page.viewport(414, 896));

  const inProgress = (words: string, left: number | undefined): Progress => ({
    fraction: 1,
    words,
    left,
    part: 'picture',
  });

  test('holds a long title and where it comes from, and is as high as any progress', async () => {
    await page.viewport(width, 800);
    const session = open();
    session.edit('prompt', 'a very long story of an egg that hatches > a chick that learns to fly > a rooster');
    session.edit('seed', '4294967295');
    session.edit('guidance', '3.5');
    await make(engine, session);
    await vi.waitFor(() => expect(caption().textContent).toContain('4294967295'));
    const { height } = caption().getBoundingClientRect();
    expect(outside()).toEqual([]);
    session.turn(1);
    await vi.waitFor(() => expect(caption().textContent).toContain('Page 2'));
    expect(outside()).toEqual([]);
    for (const [words, left] of [
      ['Finished', undefined],
      ['Drawing the first picture: step 100 of 200', undefined],
      ['Drawing the first picture: step 100 of 200', 5],
      ['Making it move: step 100 of 200', 80],
      ['Inking the pages on this paper: 144 of 144', undefined],
      ['Fetching the model: 12.5 MB of 24 MB', 7500],
    ] as const) {
      session.progress.value = inProgress(words, left);
      await vi.waitFor(() => expect(caption().textContent).toContain(words));
      expect(outside(), words).toEqual([]);
      expect(caption().getBoundingClientRect().height).toBe(height);
    }
  });
});
