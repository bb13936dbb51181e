// The page's words: progress, estimates, failures, advice per browser, and how often they are said.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { GenerateEvent } from '../../src/events';
import { FlipbookError } from '../../src/gpu/errors';
import { defaults, limits } from '../../src/options';
import { type FailureCode, failureOf } from '../../src/protocol';
import { createAnnouncer } from '../../src/ui/announcer';
import { webGpuAdvice } from '../../src/ui/browsers';
import { work } from '../../src/ui/estimate';
import { explain, withoutVideo } from '../../src/ui/messages';
import { advance, atStart, cancelling, percent, timeLeft } from '../../src/ui/progress';
import { inWords, sizeInWords } from '../../src/ui/words';

test.each([
  [0.2, 'under a second'],
  [Number.NaN, 'under a second'],
  [12.4, '12 s'],
  [59.6, '1 min'],
  [83, '1 min 20 s'],
  [118, '2 min'],
  [599, '10 min'],
  [3000, '50 min'],
  [7500, '2 h 5 min'],
])('%d seconds in words', (seconds, words) => {
  expect(inWords(seconds)).toBe(words);
});

test.each([
  [0, '0 kB'],
  [1234, '2 kB'],
  [999_000, '999 kB'],
  [3_740_000, '3.7 MB'],
  [14_900_000, '15 MB'],
])('%d bytes in words', (bytes, words) => {
  expect(sizeInWords(bytes)).toBe(words);
});

test('more steps, more frames, guidance and scenes are more work', () => {
  const { steps, frames } = defaults;
  expect(work({ ...defaults, steps: 2 * steps })).toBeGreaterThan(work(defaults));
  expect(work({ ...defaults, frames: frames + 4 })).toBeGreaterThan(work(defaults));
  expect(work({ ...defaults, guidance: 1 })).toBeLessThan(work({ ...defaults, guidance: 2 }));
  const story = { ...defaults, prompt: 'an egg > a chick' };
  expect(work(story)).toBeGreaterThan(work(defaults));
  expect(work({ ...story, picture: 'ab'.repeat(32) })).toBe(work(defaults));
});

test('where the picture is the whole clip, none is denoised after it', () => {
  const given = { ...defaults, frames: limits.frames.multiple, picture: 'ab'.repeat(32) };
  expect(work({ ...given, steps: 2 * given.steps })).toBe(work(given));
  const { picture: _picture, ...drawn } = given;
  expect(work(drawn) - work(given)).toBe(4 * defaults.steps);
});

describe('progress', () => {
  const events = fc.oneof(
    fc.record({ type: fc.constant('load' as const), loaded: fc.nat(100), total: fc.nat(100) }),
    fc.record({ type: fc.constant('compile' as const), done: fc.nat(100), total: fc.nat(100) }),
    fc.record({
      type: fc.constant('step' as const),
      index: fc.nat(50),
      of: fc.nat(50),
      stage: fc.constantFrom('picture' as const, 'clip' as const),
      share: fc.double(),
      eta: fc.double(),
    }),
    fc.record({
      type: fc.constant('step' as const),
      index: fc.nat(50),
      of: fc.nat(50),
      stage: fc.constant('picture' as const),
      share: fc.double(),
      eta: fc.double(),
      scene: fc.record({ index: fc.integer({ min: 1, max: 6 }), of: fc.nat(6) }),
    }),
    fc.record({
      type: fc.constant('frame' as const),
      index: fc.nat(50),
      of: fc.nat(50),
      share: fc.double(),
      eta: fc.double(),
    }),
  );

  test('stays between 0 and 1 and never falls, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(events), (list: GenerateEvent[]) => {
        let progress = atStart;
        for (const event of list) {
          const next = advance(progress, event);
          expect(next.fraction).toBeGreaterThanOrEqual(progress.fraction);
          expect(next.fraction).toBeLessThanOrEqual(1);
          expect(`${next.words} ${timeLeft(next)}`).not.toMatch(/NaN|Infinity|undefined/);
          progress = next;
        }
      }),
    );
  });

  test('tells the stage, the step and the time left', () => {
    const progress = advance(atStart, { type: 'step', index: 3, of: 8, stage: 'clip', share: 0.5, eta: 21 });
    expect(progress.words).toBe('Making it move: step 3 of 8');
    expect(timeLeft(progress)).toBe('about 21 s left');
    expect(percent(progress)).toBe(59);
  });

  test('names the scenes of a story', () => {
    const scene = { index: 3, of: 3 };
    const event = { type: 'step', index: 2, of: 4, stage: 'picture', share: 0.2, eta: 1, scene } as const;
    expect(advance(atStart, event).words).toBe('Drawing scene 3 of 3: step 2 of 4');
  });

  test('says that it is estimating until a step was measured, and counts on through the frames', () => {
    const load = advance(atStart, { type: 'load', loaded: 9e6, total: 18e6 });
    expect(timeLeft(load)).toBe('estimating the time left');
    expect(timeLeft(advance(load, { type: 'step', index: 1, of: 8, stage: 'picture', share: 0.1, eta: 0 }))).toMatch(
      /^estimating/,
    );
    const step = advance(load, { type: 'step', index: 8, of: 8, stage: 'clip', share: 0.8, eta: 9 });
    expect(timeLeft(step)).toBe('about 9 s left');
    const first = advance(step, { type: 'frame', index: 1, of: 4, share: 0.85, eta: 6 });
    expect(timeLeft(first)).toBe('about 6 s left');
    expect(timeLeft(advance(first, { type: 'frame', index: 3, of: 4, share: 0.95, eta: 0.4 }))).toBe(
      'under a second left',
    );
  });

  test('says that it is nearly done with the last frame, and no time where none is measured', () => {
    const inked = (index: number) =>
      advance(atStart, { type: 'frame', index, of: 4, share: index / 4, eta: 4 - index });
    expect([3, 4].map((index) => timeLeft(inked(index)))).toEqual(['about 1 s left', 'nearly done']);
    const again = {
      fraction: 0.5,
      words: 'Inking the pages once more: 2 of 4',
      left: undefined,
      part: 'again',
    } as const;
    expect([again, cancelling(inked(3)), cancelling(atStart)].map(timeLeft)).toEqual(['', '', '']);
  });
});

describe('announcements', () => {
  afterEach(() => void vi.useRealTimers());

  test('a burst is said as its first and its last message; urgent ones at once', () => {
    vi.useFakeTimers();
    const said: string[] = [];
    const announcer = createAnnouncer((message) => said.push(message));
    for (let i = 0; i < 50; i++) announcer.say(`step ${i}`);
    expect(said).toEqual(['step 0']);
    vi.advanceTimersByTime(15_000);
    expect(said).toEqual(['step 0', 'step 49']);
    announcer.say('step 50');
    announcer.say('Finished', true);
    vi.advanceTimersByTime(60_000);
    expect(said).toEqual(['step 0', 'step 49', 'Finished']);
  });

  test('the same words again are another text, which a screen reader reads again', () => {
    const said: string[] = [];
    const announcer = createAnnouncer((message) => said.push(message));
    for (let i = 0; i < 3; i++) announcer.say('Cancelled.', true);
    expect(said.map((text) => text.trim())).toEqual(['Cancelled.', 'Cancelled.', 'Cancelled.']);
    expect(said[1]).not.toBe(said[0]);
    expect(said[2]).not.toBe(said[1]);
  });
});

const surroundings = { userAgent: '', touchPoints: 0, isSecure: true };

test.each<[FailureCode, RegExp, RegExp?]>([
  ['no-webgpu', /no WebGPU/, /^Use a current Chrome/],
  ['no-adapter', /No graphics adapter/, /^Use a current Chrome.* Do this\.$/],
  ['limits', /too small/],
  ['out-of-memory', /memory is full/],
  ['device-lost', /went away/],
  ['stopped', /engine stopped/],
  ['shader', /driver refused/],
  ['numbers', /numbers came out wrong/],
  ['weights', /could not be loaded/],
  ['encoder', /No MP4/],
  ['gone', /left the stage/],
  ['input', /does not fit/],
  ['unknown', /went wrong/],
])('%s is explained, with what to do', (code, title, advice = /^Do this\./) => {
  const message = explain({ code, message: 'The words of the engine.', hint: 'Do this.' }, surroundings);
  expect(message.title).toMatch(title);
  expect(message.body.length).toBeGreaterThan(10);
  expect(message.advice).toMatch(advice);
});

test('without a video there is advice of its own kind, and always the other file', () => {
  const advice = (hint: string) => explain({ code: 'encoder', message: '', hint }, surroundings).advice;
  expect(advice('')).toMatch(/^For an MP4, .* browser that .*\. Download APNG has the whole loop/);
  expect(advice('Press Download MP4.')).toMatch(/^Press Download MP4\. Download APNG has the whole loop/);
});

test.each<[FailureCode, string, RegExp]>([
  ['encoder', 'The video encoder stopped: no reason', /^The video encoder stopped: no reason\.$/],
  ['out-of-memory', 'There is no room', /^There is no room\. Your settings are safe/],
  ['unknown', 'Why?', /^Why\?$/],
])('%s: “%s” is a sentence that others may follow', (code, message, body) => {
  expect(explain({ code, message, hint: '' }, surroundings).body).toMatch(body);
});

const playsHere = 'The clip plays here until the next one is finished or you leave the page; it is not stored.';

test.each([
  [undefined, false, `This browser could not encode a video. ${playsHere}`],
  [{ message: 'The encoder stopped: no reason', hint: '' }, false, `The encoder stopped: no reason. ${playsHere}`],
  [{ message: 'It stopped.', hint: '' }, true, 'It stopped. The MP4 on the paper before is still there.'],
])('what is left of a clip without a video is said: %j, with one on another paper: %s', (problem, old, body) => {
  expect(explain(withoutVideo(problem, old), surroundings).body).toBe(body);
});

test('an engine that stopped is tried again, unless it has its own advice', () => {
  const stopped = (hint: string) => explain({ code: 'stopped', message: 'It broke.', hint }, surroundings);
  expect(stopped('')).toMatchObject({ advice: expect.stringMatching(/^Try again/), retry: true });
  expect(stopped('Reload the page.')).toMatchObject({ advice: 'Reload the page.', retry: false });
});

test('without an adapter the advice is for the browser at hand, and then the general one', () => {
  const failure = failureOf(new FlipbookError('no-adapter', 'none answered'));
  const userAgent = 'Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0.0.0 Safari/537.36';
  expect(explain(failure, { ...surroundings, userAgent }).advice).toMatch(
    /--enable-unsafe-webgpu.* hardware acceleration/,
  );
});

test('an address that is not secure is the reason, before the browser is', () => {
  const { advice } = explain({ code: 'no-webgpu', message: '', hint: '' }, { ...surroundings, isSecure: false });
  expect(advice).toMatch(/https/);
});

test.each([
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit/605 Version/18.0 Safari/604', /iOS 26/],
  ['Mozilla/5.0 (Windows NT 10.0; rv:130.0) Gecko/20100101 Firefox/130.0', /141/],
  ['Mozilla/5.0 (Windows NT 10.0; rv:150.0) Gecko/20100101 Firefox/150.0', /about:config/],
  ['Mozilla/5.0 (Macintosh; rv:130.0) Gecko/20100101 Firefox/130.0', /145.*Safari 26/],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0', /144/],
  ['Mozilla/5.0 (Linux; Android 11) Chrome/110.0.0.0 Mobile Safari/537.36', /127/],
  ['Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0.0.0 Safari/537.36', /144/],
  ['Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0.0.0 Safari/537.36', /chrome:\/\/gpu/],
  ['Mozilla/5.0 (Windows NT 10.0) Chrome/120.0.0.0 Safari/537.36', /127/],
  ['Mozilla/5.0 (Windows NT 10.0) Chrome/150.0.0.0 Safari/537.36', /acceleration/],
  ['Mozilla/5.0 (Macintosh) AppleWebKit/605 Version/17.0 Safari/605', /26/],
  ['', /Chrome or Edge/],
  ['Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0', /^Firefox on Android.*Chrome 127/],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 CriOS/140 Version/17.0 Safari/605', /iOS 26/],
])('advice for %s', (userAgent, advice) => {
  expect(webGpuAdvice(userAgent)).toMatch(advice);
});

test('where the script does not run, index.html names the same browsers', () => {
  const [, browsers] = /(Chrome or Edge .*)\.$/.exec(webGpuAdvice('')) ?? [];
  expect(readFileSync('index.html', 'utf8')).toContain(browsers);
});

test('an iPad that calls itself a Macintosh is known by its touch screen', () => {
  const userAgent = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/17.0 Safari/605';
  expect(webGpuAdvice(userAgent, 5)).toMatch(/iOS 26/);
  expect(webGpuAdvice(userAgent, 0)).toMatch(/Chrome 127/);
});
