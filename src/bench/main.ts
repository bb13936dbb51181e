// The bench's page: starts and stops a run, shows its cases as they come, and gives the result to copy.
// With ?run it starts by itself (?only=conv3d,linear&quick&tune=SECONDS), and it tells whoever drives it by events named
// `flipbook-bench`.
import { devDependencies } from '../../package.json';
import { messageOf } from '../gpu/errors';
import { modelFolder } from '../options';
import { type BenchResult, type CaseResult, type Group, groups, ratioNames } from './result';
import { armRows, columns, costText, tuningText } from './rows';
import { type RunEvent, runBench } from './run';

const peers = ['onnxruntime-web', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-webgpu', '@jax-js/jax'] as const;
const versions = Object.fromEntries(peers.map((name) => [name, devDependencies[name]]));

const find = <Kind extends HTMLElement>(id: string) => document.getElementById(id) as Kind;
const [run, stop, quick] = [
  find<HTMLButtonElement>('run'),
  find<HTMLButtonElement>('stop'),
  find<HTMLInputElement>('quick'),
];
const tuneButton = find<HTMLButtonElement>('tune');
const tables = find('tables');

let running: AbortController | undefined;

/** What a program that drives the page hears: everything that happens, and the result so far. */
function announce(detail: { event: RunEvent | { type: 'done' }; result: BenchResult | undefined }): void {
  dispatchEvent(new CustomEvent('flipbook-bench', { detail }));
}

async function start(only: readonly Group[], tune?: { readonly seconds?: number | undefined }): Promise<void> {
  running = new AbortController();
  run.disabled = true;
  tuneButton.disabled = true;
  stop.disabled = false;
  tables.replaceChildren();
  let last: BenchResult | undefined;
  const modelUrl = new URL(modelFolder, document.baseURI).href;
  try {
    for await (const { event, result } of runBench({
      only,
      quick: quick.checked,
      tune,
      modelUrl,
      versions,
      signal: running.signal,
    })) {
      last = result;
      show(event, result);
      announce({ event, result });
    }
    const tuned = tune && last?.tuning ? ` ${tuningText(last.tuning)}.` : '';
    const failures = (last?.failures ?? []).map((failure) => ` Failed: ${failure}.`).join('');
    say(running.signal.aborted ? 'Stopped.' : `Done in ${Math.round(last?.seconds ?? 0)} s.${tuned}${failures}`);
  } catch (error) {
    say(`The bench failed: ${messageOf(error)}`);
  } finally {
    run.disabled = false;
    tuneButton.disabled = false;
    stop.disabled = true;
    running = undefined;
    announce({ event: { type: 'done' }, result: last });
  }
}

function show(event: RunEvent, result: BenchResult): void {
  if (event.type === 'task' || event.type === 'line') say(event.text);
  if (event.type === 'failure') say(`Failed: ${event.text}`);
  if (event.type === 'case' || event.type === 'cold') {
    const shown = result.cases.map((found) => tableOf(found, result));
    tables.replaceChildren(...shown);
  }
  showRatios(result);
  find('outcome').hidden = false;
  find<HTMLTextAreaElement>('json').value = JSON.stringify(result, null, 1);
}

function tableOf(found: CaseResult, result: BenchResult): HTMLElement {
  const table = element('table');
  const caption = `${found.group.replaceAll('_', ' ')}: ${found.name} (${found.source})${costText(found.cost)}`;
  table.append(element('caption', caption));
  const head = element('tr');
  for (const { title, number } of columns) head.append(cell('th', title, number));
  table.append(head);
  for (const { arm, cells } of armRows(found, result.ceilings)) {
    const row = element('tr');
    row.className = arm.kind === 'ours' ? 'ours' : arm.failure ? 'failed' : '';
    cells.forEach((text, i) => {
      row.append(cell('td', text, columns[i]!.number));
    });
    table.append(row);
  }
  const scroll = element('div');
  scroll.className = 'scroll';
  scroll.append(table);
  return scroll;
}

function showRatios(result: BenchResult): void {
  const list = element('ul');
  for (const name of ratioNames) {
    const ratio = result.ratios[name];
    if (ratio !== null) list.append(element('li', `${name.replaceAll('_', ' ')}: ${ratio.toFixed(2)}×`));
  }
  const { adapter } = result.machine;
  const box = find('ratios');
  box.hidden = list.childElementCount === 0 && adapter === '';
  const ceilings = result.ceilings
    ? `, at most ${result.ceilings.gflops.toFixed(1)} GFLOP/s and ${result.ceilings.gigabytesPerSecond.toFixed(1)} GB/s`
    : '';
  box.replaceChildren(element('p', `${adapter}${ceilings}. Ours over the fastest other, geometric means:`), list);
}

function say(text: string): void {
  find('status').textContent = text;
}

function element(tag: string, text = ''): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function cell(tag: 'td' | 'th', text: string, number: boolean): HTMLElement {
  const made = element(tag, text);
  if (number) made.className = 'number';
  if (tag === 'th') made.setAttribute('scope', 'col');
  return made;
}

find<HTMLFormElement>('controls').addEventListener('submit', (event) => {
  event.preventDefault();
  void start(groups);
});
tuneButton.addEventListener('click', () => void start([], {}));
stop.addEventListener('click', () => running?.abort());
find('copy').addEventListener('click', () => {
  const { value } = find<HTMLTextAreaElement>('json');
  navigator.clipboard.writeText(value).then(
    () => say('Copied.'),
    () => find<HTMLTextAreaElement>('json').select(),
  );
});

const query = new URLSearchParams(location.search);
quick.checked = query.has('quick');
if (query.has('run')) {
  const asked = query.get('only')?.split(',') ?? groups;
  void start(
    groups.filter((group) => asked.includes(group)),
    query.has('tune') ? { seconds: Number(query.get('tune')) || undefined } : undefined,
  );
}
