// `npm run generate -- --prompt "a dancing cat" --out cat.mp4`: the page itself, driven in a headless browser.
// Progress on stderr; with --json a summary on stdout. Any failure: one line that says why, and an exit code that is not 0.
import { createHash } from 'node:crypto';
import { access, constants, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { command, firstLine, given, listen, pageModule, retell, say, withPage } from './page.mjs';
import { buildIfStale, install } from './site.mjs';

const usage =
  'npm run generate -- --prompt TEXT --out FILE.mp4|FILE.apng|FILE.png|FILE.gif [--picture FILE [--redraw LEFT,TOP,WIDTH,HEIGHT|all]] [--seed N] [--steps N] [--frames N] [--guidance X] [--motion X] [--sampler NAME] [--background #rrggbb] [--json]';
const names = ['prompt', 'seed', 'steps', 'guidance', 'frames', 'motion', 'redraw', 'sampler', 'background'];
const fields = names.map((name) => `--${name}`);
const flags = [...fields, '--out', '--picture', '--json', '--help'];

/** @typedef {import('../src/protocol.ts').Failure} Failure */
/** @typedef {import('../src/events.ts').DoneEvent} DoneEvent */
/** @typedef {Exclude<import('../src/events.ts').GenerateEvent, DoneEvent>} Progress */
/**
 * What src/ui tells of by `broadcast`.
 * @typedef {Progress | { type: 'picture' } | ({ type: 'failure' } & Failure)
 *   | (Pick<DoneEvent, 'type' | 'codec' | 'stats' | 'options'> & { problem?: string, adapter?: string })} PageEvent
 */

async function main() {
  const values = readArguments();
  if (values.help) return console.log(usage);
  const out = await writable(values.out);
  await install(say);
  const picture = await readable(values.picture);
  const options = await checked(values, picture?.sha256);
  await buildIfStale(say);
  const summary = await withPage((page, address) => drive(page, address, options, out, picture?.path));
  say(`Wrote ${values.out}`);
  if (values.json) console.log(JSON.stringify(summary, null, 2));
}

function readArguments() {
  try {
    const text = /** @type {const} */ ({ type: 'string' });
    const flag = /** @type {const} */ ({ type: 'boolean' });
    const texts = Object.fromEntries(names.map((name) => [name, text]));
    const { values } = parseArgs({
      options: { ...texts, out: text, picture: text, json: flag, help: flag },
      args: joined(),
    });
    return /** @type {Record<string, string> & { json?: boolean, help?: boolean }} */ (values);
  } catch (error) {
    throw new Error(`${firstLine(error)} Usage: ${usage}`);
  }
}

/** `--steps -1` as `--steps=-1`: the value must reach the check that explains it. */
function joined() {
  const words = process.argv.slice(2);
  const result = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const value = words[i + 1];
    if (!fields.includes(word) || value === undefined) result.push(word);
    else if (flags.includes(value.split('=')[0] ?? '')) throw new Error(`${word} has no value: ${value} comes next.`);
    else result.push(`${word}=${words[++i]}`);
  }
  return result;
}

/** The path that the clip will have, after seeing that it can be written. @param {string | undefined} out */
async function writable(out) {
  if (!out) throw new Error(`--out is missing: name the file to write. Usage: ${usage}`);
  if (!/\.(mp4|a?png|gif)$/i.test(out)) {
    throw new Error(
      `--out ${out} is of another kind: name a file .mp4, or .apng, .png or .gif for the transparent loop`,
    );
  }
  const path = given(out);
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory()) throw new Error(`--out ${out} is a folder: name a file in it`);
  const refuse = (/** @type {string} */ reason) => () => {
    throw new Error(`--out ${out} cannot be written: ${reason}`);
  };
  // The folder too: the clip is written beside the file, then takes its place.
  await access(dirname(path), constants.W_OK).catch(refuse(`no folder ${dirname(path)} that may be written`));
  if (info) await access(path, constants.W_OK).catch(refuse('the file is read-only'));
  return path;
}

/** The start picture's file; what is in it is the page's to judge. @param {string | undefined} name */
async function readable(name) {
  if (name === undefined) return undefined;
  const path = given(name);
  const data = await readFile(path).catch((error) => {
    throw new Error(`--picture ${name} cannot be read: ${firstLine(error)}`);
  });
  return { path, sha256: createHash('sha256').update(data).digest('hex') };
}

/** The page's own validation, so that a wrong option is told before a browser starts. */
async function checked(/** @type {Record<string, string>} */ values, /** @type {string | undefined} */ picture) {
  const { defaults, encodeLink, toRaw } = /** @type {typeof import('../src/options.ts')} */ (
    await pageModule('src/options.ts')
  );
  const { validate } = /** @type {typeof import('../src/validate.ts')} */ (await pageModule('src/validate.ts'));
  const asked = Object.fromEntries(
    names.filter((name) => values[name] !== undefined).map((name) => [name, values[name]]),
  );
  if (asked.prompt === undefined && !picture)
    throw new Error(`--prompt is missing: say what to draw, or give a --picture. Usage: ${usage}`);
  const result = validate({ ...toRaw(defaults), prompt: '', ...asked, picture });
  if (!result.ok) throw new Error(Object.values(result.errors).join(' '));
  return { ...result.options, link: encodeLink(result.options) };
}

/**
 * @param {import('playwright-core').Page} page
 * @param {string} address
 * @param {Record<string, unknown> & { link: string }} options
 * @param {string} out
 * @param {string | undefined} picture
 */
async function drive(page, address, { link, ...options }, out, picture) {
  let onPicture = () => {};
  const pictured = new Promise((done) => {
    onPicture = () => done(undefined);
  });
  const onEvent = (/** @type {PageEvent} */ event) => {
    if (event.type === 'done') return event;
    if (event.type === 'failure') throw new Error(sentences(event));
    if (event.type === 'picture') onPicture();
    else tell(event);
  };
  const crashed = 'the page crashed, probably out of memory: ask for fewer frames';
  const { finished, failing } = await listen(page, 'flipbook', onEvent, crashed);
  await page.goto(`${address}${link}`);
  if (picture) {
    await page.getByLabel('Start picture').setInputFiles(picture);
    await Promise.race([pictured, finished]);
  }
  await page.getByRole('button', { name: 'Generate' }).click();
  const { codec, stats, adapter, problem } = await finished;
  const kind = /\.gif$/i.test(out) ? 'gif' : /\.a?png$/i.test(out) ? 'apng' : 'mp4';
  // A transparent animation needs no video encoder.
  if (!codec && kind === 'mp4') throw new Error(`no MP4: ${problem ?? 'this browser cannot encode video'}`);
  const download = page.waitForEvent('download', { timeout: 120_000 });
  await page.getByRole('button', { name: `Download ${kind.toUpperCase()}` }).click();
  const draft = `${out}.${process.pid}.part`;
  try {
    await (await Promise.race([download, failing])).saveAs(draft);
    await rename(draft, out);
  } finally {
    await rm(draft, { force: true });
  }
  const file = await readFile(out);
  return {
    out,
    adapter,
    ...options,
    seconds: { ...stats.seconds, total: performance.now() / 1000 }, // since this process began: all in
    codec: kind === 'mp4' ? codec : kind,
    peakGpuBytes: stats.peakGpuBytes,
    bytes: file.length,
    sha256: createHash('sha256').update(file).digest('hex'),
  };
}

/** @param {Progress} event */
function tell(event) {
  if (event.type === 'unread') return say(`the model does not read: ${[...event.unknown, ...event.cut].join(', ')}`);
  retell(lineOf(event));
}

/** @param {Exclude<Progress, { type: 'unread' }>} event */
function lineOf(event) {
  switch (event.type) {
    case 'load':
      return `load ${(event.loaded / 1e6).toFixed(1)} of ${(event.total / 1e6).toFixed(1)} MB`;
    case 'compile':
      return `compile ${event.done} of ${event.total}`;
    case 'step': {
      const scene = event.scene ? ` ${event.scene.index} of ${event.scene.of}` : '';
      const left = event.eta > 0 ? `, ${Math.round(event.eta)} s left` : '';
      return `${event.stage}${scene} step ${event.index} of ${event.of}${left}`;
    }
    case 'frame':
      return `frame ${event.index} of ${event.of}`;
  }
}

/** What happened and what to do. @param {Failure} failure */
function sentences({ message, hint }) {
  const parts = [message, hint].filter(Boolean);
  return parts.map((part) => part.replace(/\.$/, '')).join('. ');
}

command('generate', main);
