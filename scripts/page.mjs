// What the commands that drive the page share: a headless browser on the built page, which ends with the command however that
// ends, and words on stderr. What is done with the page is theirs.
import { join, resolve } from 'node:path';
import { root, serve } from './site.mjs';

/** Where progress rewrites its line, the next line takes its place. */
const clear = process.stderr.isTTY ? '\r\x1b[K' : '';

/** @param {string} line */
export const say = (line) => void process.stderr.write(`${clear}${line}\n`);

/** One line that rewrites itself for a person; a plain log for a script. @param {string} line */
export const retell = (line) => void process.stderr.write(clear ? `${clear}${line}` : `${line}\n`);

/** @param {unknown} error */
export function firstLine(error) {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]?.trim() ?? '';
}

/** A path as the caller wrote it: npm changes the folder. @param {string} path */
export function given(path) {
  return resolve(process.env.INIT_CWD ?? process.cwd(), path);
}

/** A module of the page, which is TypeScript. @param {string} path from the root */
export async function pageModule(path) {
  const { runnerImport } = await import('vite');
  const { module } = await runnerImport(join(root, path), { root, logLevel: 'error', configFile: false });
  return /** @type {unknown} */ (module);
}

/** Exit codes of a command that a signal ends, as shells have them. */
const signals = /** @type {const} */ ({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 });

export class Interruption extends Error {
  /** @param {keyof typeof signals} signal */
  constructor(signal) {
    super(`stopped by ${signal}`);
    this.exitCode = signals[signal];
  }
}

/** Milliseconds to tidy up in. A browser whose GPU is busy takes half a minute to close; it is killed with this process. */
const grace = 2000;

/**
 * Opens the built page's site in a headless browser, and ends both when `use` is done, has failed, or is overtaken: by a
 * signal, or by the end of the browser.
 * @template Result
 * @param {(page: import('playwright-core').Page, address: string) => Promise<Result>} use is given an empty page
 * @param {import('playwright-core').BrowserContextOptions} [options]
 * @returns {Promise<Result>}
 */
export async function withPage(use, options) {
  const { browser } = await import('./ensure-browser.mjs');
  const { chromium } = await import('playwright-core');
  const { executablePath, args, env } = await browser();
  const stop = new AbortController();
  const listeners = Object.keys(signals).map((name) => {
    const signal = /** @type {keyof typeof signals} */ (name);
    const listener = () => stop.abort(new Interruption(signal));
    process.once(signal, listener); // a second one ends the process at once
    return () => process.off(signal, listener);
  });
  const server = await serve({ port: 0 });
  /** @type {import('playwright-core').Browser | undefined} */
  let chrome;
  /** @type {Promise<Result> | undefined} */
  let used;
  try {
    // Signals are ours to handle: Playwright would end the process before anything else is tidied up.
    const own = { handleSIGHUP: false, handleSIGINT: false, handleSIGTERM: false };
    chrome = await chromium.launch({ executablePath, args, env, ...own }).catch((error) => {
      throw new Error(`the browser ${executablePath} does not start: ${firstLine(error)}`);
    });
    // A visit of one clip has no second one to prepare.
    const page = await chrome.newPage({ serviceWorkers: 'block', ...options });
    stop.signal.throwIfAborted();
    const overtaken = new Promise((_resolve, reject) => {
      stop.signal.addEventListener('abort', () => reject(stop.signal.reason));
      page.on('close', () => reject(new Error('the browser ended, probably out of memory')));
    });
    used = use(page, server.address);
    return /** @type {Result} */ (await Promise.race([used, overtaken]));
  } finally {
    for (const forget of listeners) forget();
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, grace);
      const ends = Promise.allSettled([used, chrome?.close(), server.close()]);
      void ends.then(() => clearTimeout(timer)).then(resolve);
    });
  }
}

/**
 * Hears what the page tells by the events of one name, from when it is next opened. What `onEvent` gives ends `finished`, which
 * rejects at an earlier failure; what it throws is one, and so is a crash. `failing` rejects at any, a later one too.
 * @template Detail, Result
 * @param {import('playwright-core').Page} page
 * @param {string} eventName
 * @param {(detail: Detail) => Result | undefined} onEvent
 * @param {string} [crashed] what is said of a crash
 * @returns {Promise<{ finished: Promise<Result>, failing: Promise<never> }>}
 */
export async function listen(page, eventName, onEvent, crashed = 'the page crashed') {
  /** @type {(result: Result) => void} */
  let finish = () => {};
  /** @type {((error: unknown) => void)[]} */
  const rejects = [];
  const fail = (/** @type {unknown} */ error) => rejects.forEach((reject) => void reject(error));
  /** @type {Promise<Result>} */
  const finished = new Promise((resolve, reject) => {
    finish = resolve;
    rejects.push(reject);
  });
  /** @type {Promise<never>} */
  const failing = new Promise((_resolve, reject) => void rejects.push(reject));
  for (const promise of [finished, failing]) promise.catch(() => undefined); // Nobody may be waiting.
  page.on('crash', () => fail(new Error(crashed)));
  await page.exposeFunction('tellScript', (/** @type {Detail} */ detail) => {
    try {
      const result = onEvent(detail);
      if (result !== undefined) finish(result);
    } catch (error) {
      fail(error);
    }
  });
  await page.addInitScript((name) => {
    addEventListener(name, (event) => Reflect.get(window, 'tellScript')(Reflect.get(event, 'detail')));
  }, eventName);
  return { finished, failing };
}

/**
 * Runs a command. Where it fails: one line that says why, and an exit code that is not 0.
 * @param {string} name
 * @param {() => Promise<void>} main
 */
export function command(name, main) {
  main().catch((error) => {
    say(`${name}: ${firstLine(error)}`);
    process.exit(error instanceof Interruption ? error.exitCode : 1); // Playwright kills what is still closing
  });
}
