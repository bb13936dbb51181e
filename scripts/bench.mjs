// `npm run bench -- [--only NAME[,NAME]] [--quick] [--tune] [--json FILE] [--report FILE]`: bench.html, driven in a headless browser.
// Progress on stderr, the ratios on stdout. The JSON is written after every case, so that a run that is cut off leaves
// what it has. `--report` renders a result into a document, and its charts beside it: of this run, or with `--from FILE` of an
// earlier one.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { command, firstLine, given, Interruption, listen, pageModule, say, withPage } from './page.mjs';
import { buildIfStale, install, root } from './site.mjs';

const usage =
  'npm run bench -- [--only NAME[,NAME]] [--quick] [--tune] [--json FILE] [--report docs/PERFORMANCE.md] [--from FILE]';

/** Minutes for everything: the page limits each of its tasks by itself. */
const mostMinutes = 40;

/** @typedef {import('../src/bench/result.ts').BenchResult} BenchResult */
/** @typedef {import('../src/bench/run.ts').RunEvent} RunEvent */

async function main() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      quick: { type: 'boolean' },
      tune: { type: 'boolean' },
      json: { type: 'string' },
      report: { type: 'string' },
      from: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(usage);
  await install(say);
  const { groups, ratioNames } = await load('result');
  const only = values.only?.flatMap((names) => names.split(','));
  const unknown = only?.filter((name) => !groups.includes(/** @type {never} */ (name))) ?? [];
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(',')}: expected ${groups.join(', ')}`);
  const result = values.from
    ? /** @type {BenchResult} */ (JSON.parse(await readFile(given(values.from), 'utf8')))
    : await run({
        only,
        quick: values.quick ?? false,
        tune: values.tune ?? false,
        json: values.json && given(values.json),
      });
  if (values.report) {
    const { chartFile, withReport } = await load('report');
    const path = given(values.report);
    await writeFile(path, withReport(await readFile(path, 'utf8'), result));
    const svg = await draw(result);
    if (svg) await writeFile(join(dirname(path), chartFile), svg);
    say(`Wrote ${values.report}`);
  }
  for (const name of ratioNames) {
    const ratio = result.ratios[name];
    console.log(`${name}: ${ratio === null ? 'not measured' : ratio.toFixed(2)}`);
  }
  for (const failure of result.failures) console.log(`failed: ${failure}`);
  if (result.cases.length === 0) throw new Error('nothing was measured');
}

/** The charts as SVG. @param {BenchResult} result */
async function draw(result) {
  const { charts } = await load('charts');
  const specification = charts(result);
  if (!specification) return undefined;
  const [{ compile }, { parse, View }] = await Promise.all([import('vega-lite'), import('vega')]);
  return new View(parse(compile(specification).spec), { renderer: 'none' }).toSVG();
}

/**
 * A module of the bench.
 * @template {'result' | 'report' | 'charts'} Name
 * @param {Name} name
 * @returns {Promise<{
 *   result: typeof import('../src/bench/result.ts'),
 *   report: typeof import('../src/bench/report.ts'),
 *   charts: typeof import('../src/bench/charts.ts'),
 * }[Name]>}
 */
async function load(name) {
  return /** @type {never} */ (await pageModule(join('src', 'bench', `${name}.ts`)));
}

/**
 * @param {{ only: string[] | undefined, quick: boolean, tune: boolean, json: string | undefined }} options
 * @returns {Promise<BenchResult>}
 */
async function run({ only, quick, tune, json }) {
  await buildIfStale(say);
  const download = await downloads();
  /** @type {BenchResult | undefined} */
  let last;
  /** @type {Promise<unknown>} */
  let written = Promise.resolve();
  const keep = (/** @type {BenchResult} */ result) => {
    last = { ...result, download };
    const text = `${JSON.stringify(last, null, 1)}\n`;
    if (json) written = written.then(() => writeFile(json, text));
  };
  const query = new URLSearchParams({
    run: '',
    ...(only && { only: only.join() }),
    ...(quick && { quick: '' }),
    ...(tune && { tune: '' }),
  });
  try {
    await withPage((page, address) => drive(page, `${address}bench.html?${query}`, keep));
  } catch (error) {
    if (!last || !json || error instanceof Interruption) throw error;
    throw new Error(`the run was cut off: ${firstLine(error)}. What it has is in ${json}; --from renders that`);
  } finally {
    await written;
  }
  if (!last) throw new Error('the bench gave no result');
  return last;
}

/**
 * Runs the bench in the page, to its end.
 * @param {import('playwright-core').Page} page
 * @param {string} address
 * @param {(result: BenchResult) => void} keep is given the result so far whenever something was added to it
 */
async function drive(page, address, keep) {
  page.on('pageerror', (error) => say(`  page: ${firstLine(error)}`));
  const onEvent = (/** @type {{ event: RunEvent | { type: 'done' }, result: BenchResult | undefined }} */ told) => {
    const { event, result } = told;
    if (result && ['case', 'cold', 'adapter', 'tuned', 'counted', 'failure'].includes(event.type)) keep(result);
    if (event.type === 'done') return event;
    tell(event);
  };
  const { finished } = await listen(page, 'flipbook-bench', onEvent);
  await page.goto(address);
  const late = new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error(`it took longer than ${mostMinutes} minutes`)), mostMinutes * 60_000).unref();
  });
  await Promise.race([finished, late]);
}

/** @param {RunEvent} event */
function tell(event) {
  if (event.type === 'task') say(`${event.text}`);
  else if (event.type === 'line') say(`  ${event.text}`);
  else if (event.type === 'failure') say(`  FAILED ${event.text}`);
  else if (event.type === 'adapter') {
    const { gflops, gigabytesPerSecond } = event.ceilings;
    say(`  ${event.machine.adapter}: ${gflops.toFixed(2)} GFLOP/s, ${gigabytesPerSecond.toFixed(2)} GB/s`);
  } else if (event.type === 'case' || event.type === 'cold') {
    const { flops, bytes } = event.type === 'case' ? event.result.cost : { flops: 0, bytes: 0 };
    if (flops > 0) say(`    ${(flops / 1e6).toPrecision(3)} MFLOP, ${(bytes / 1e6).toPrecision(3)} MB at least`);
    for (const arm of event.type === 'case' ? event.result.arms : [event.arm]) {
      const dispatches = arm.dispatches === undefined ? '' : `, ${arm.dispatches} dispatches`;
      const time = arm.milliseconds ? `${arm.milliseconds.median.toFixed(2)} ms${dispatches}` : `FAILED ${arm.failure}`;
      say(`    ${arm.runtime}, ${arm.how}: ${time}`);
    }
  }
}

/**
 * Bytes after gzip that a visitor loads besides the weights: the engine's worker, the whole page, and what the same
 * page would load of onnxruntime-web.
 */
async function downloads() {
  const assets = join(root, 'dist', 'assets');
  const names = (await readdir(assets)).filter((name) => !name.endsWith('.map'));
  const size = async (/** @type {string} */ name) => gzipSync(await readFile(join(assets, name)), { level: 9 }).length;
  const sum = async (/** @type {string[]} */ list) => {
    let total = 0;
    for (const name of list) total += await size(name);
    return total;
  };
  const html = await readFile(join(root, 'dist', 'index.html'), 'utf8');
  const engine = names.filter((name) => /^worker-.*\.js$/.test(name));
  const linked = names.filter((name) => html.includes(`assets/${name}`));
  const ort = names.filter((name) => /^ort[.-].*\.(js|mjs|wasm)$/.test(name));
  const engineBytes = await sum(engine);
  return {
    engine: engineBytes,
    page: engineBytes + (await sum(linked)) + gzipSync(html, { level: 9 }).length,
    onnxruntime: await sum(ort),
  };
}

command('bench', main);
