// The book in a real page: what it shows, what goes on around it, and a caption that takes as much room as the progress before it.
import { afterAll, describe, expect, test, vi } from 'vitest';
import { page } from 'vitest/browser';
import { mount } from '../../src/ui/app';
import type { Progress } from '../../src/ui/progress';
import { createSession, type SessionOptions } from '../../src/ui/session';
import { button, engine, notice, onStage, open, root, saved } from './on-stage';
import { emptyStore, make } from './visit';

onStage();

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
        if (video) expect(find<HTMLVideoElement>('video.screen').src).toMatch(/#t=0\.001$/);
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
    expect([session.earlier.areKept.value, isAsked()]).toEqual([false, true]);
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
