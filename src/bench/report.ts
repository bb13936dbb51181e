// A result as Markdown: the tables of docs/PERFORMANCE.md. The method around them is written by hand.
import type { KernelTime } from '../gpu/profile';
import { caveats } from './caveats';
import {
  type BenchResult,
  type CaseResult,
  type Ceilings,
  type Group,
  groups,
  type PlanResult,
  type RatioName,
  ratioNames,
  speedup,
} from './result';
import { armRows, columns, costText, digits, tuningText } from './rows';
import { geometricMean } from './statistics';

/** Between these lines of the document everything is replaced. */
export const marks = { begin: '<!-- bench:begin -->', end: '<!-- bench:end -->' } as const;

/** Beside the document; made of charts.ts's specification. */
export const chartFile = 'performance.svg';

export const titles: Readonly<Record<Group, string>> = {
  conv3d: '3D convolution',
  temporal_attention: 'Attention over frames',
  spatial_attention: 'Attention within frames',
  group_norm_silu: 'GroupNorm and SiLU',
  linear: 'Linear layers',
  other_kernels: 'Other kernels',
  denoiser_step: 'One denoiser step',
  decode: 'Decoding',
  frames: 'Length and steps',
  cold_start: 'Cold start',
};

/** What each ratio should be at least; null: measured without a goal. */
export const targets: Readonly<Record<RatioName, number | null>> = {
  conv3d_vs_as_written: 6,
  conv3d_vs_strongest_rewrite: 3,
  temporal_attention: 3,
  spatial_attention: 1.5,
  group_norm_silu: 2,
  linear: null,
  denoiser_step_vs_ort: 3,
  decode_vs_ort: 3,
  cold_start_vs_ort: 2,
  peak_gpu_bytes_vs_ort: 2,
};

/** Replaces what stands between the marks. Throws where they are missing. */
export function withReport(document: string, result: BenchResult): string {
  const begin = document.indexOf(marks.begin);
  const end = document.indexOf(marks.end);
  if (begin < 0 || end < begin) throw new Error(`The document needs the lines ${marks.begin} and ${marks.end}`);
  return `${document.slice(0, begin + marks.begin.length)}\n\n${report(result)}\n${document.slice(end)}`;
}

export function report(result: BenchResult): string {
  const sections = groups.flatMap((group) => {
    const cases = result.cases.filter((found) => found.group === group);
    if (cases.length === 0) return [];
    return [
      `### ${titles[group]}`,
      ...(group === 'frames' ? [lengths(cases)] : cases.map((found) => table(found, result))),
    ];
  });
  const failures = result.failures.length > 0 ? ['### What did not run', list(result.failures)] : [];
  return [
    about(result),
    summary(result),
    `![Charts: ratios with their goals, each arm's share of the adapter's limit, time over frames](${chartFile})`,
    byPeer(result),
    ...sections,
    ...programs(result),
    ...predicted(result),
    ...failures,
    '',
  ].join('\n\n');
}

function about({ date, seconds, machine, versions, ceilings, tuning }: BenchResult): string {
  return list([
    `Run of ${date.slice(0, 16).replace('T', ' ')} UTC, ${Math.round(seconds)} s`,
    `Adapter: ${machine.adapter}${machine.isSoftware ? ' (a software renderer)' : ''}; features ${machine.features.join(', ') || 'none'}; ${machine.threads} processor threads`,
    `Browser: ${machine.userAgent}`,
    `Peers: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    ceilings
      ? `Ceilings of this adapter, measured in the same run: ${digits(ceilings.gflops)} GFLOP/s of fused multiply-adds, ${digits(ceilings.gigabytesPerSecond)} GB/s of copying`
      : 'Ceilings were not measured',
    ...(tuning ? [tuningText(tuning)] : []),
  ]);
}

function summary(result: BenchResult): string {
  const { ratios, download } = result;
  const rows = ratioNames.map((name) => {
    const [ratio, target] = [ratios[name], targets[name]];
    const verdict = ratio === null || target === null ? '' : ratio >= target ? 'reached' : 'missed';
    return [name, ratio === null ? 'not measured' : `${digits(ratio)}×`, target === null ? '' : `${target}×`, verdict];
  });
  const lines = [
    '### Ours over the peers',
    markdownTable(['ratio', 'measured', 'goal', ''], rows, [false, true, true, false]),
  ];
  const careful = caveats(result);
  if (careful.length > 0) lines.push('Ratios to read with care:', list(careful));
  if (download) {
    const kilobytes = (bytes: number) => `${digits(bytes / 1e3)} kB`;
    lines.push(
      `Downloaded without weights, after gzip: engine ${kilobytes(download.engine)} (goal: at most 150 kB), the whole page with it ` +
        `${kilobytes(download.page)}; onnxruntime-web's WebGPU build ${kilobytes(download.onnxruntime)}.`,
    );
  }
  return lines.join('\n\n');
}

/** Each peer by itself, at its best in each case: the goals' fastest peer need not be the one that you would use. */
function byPeer({ cases }: BenchResult): string {
  const peers = ['onnxruntime-web', 'tfjs', 'jax-js'] as const;
  const rows = groups.flatMap((group) => {
    const found = cases.filter((result) => result.group === group);
    const cells = peers.map((peer) => {
      const values = found.map((result) => speedup(result, ({ runtime }) => runtime === peer));
      const mean = geometricMean(values.filter((value) => value !== undefined));
      return mean === undefined ? '' : `${digits(mean)}×`;
    });
    return cells.some((text) => text !== '') ? [[titles[group], ...cells]] : [];
  });
  const numbers = [false, true, true, true];
  return ['### Ours over each peer at its best', markdownTable(['', ...peers], rows, numbers)].join('\n\n');
}

function table(found: CaseResult, { ceilings }: BenchResult): string {
  const rows = armRows(found, ceilings).map(({ arm, cells }) =>
    arm.kind === 'ours' ? cells.map((text) => (text ? `**${text}**` : '')) : [...cells],
  );
  const peaks = found.arms.filter(({ peakGpuBytes }) => peakGpuBytes);
  const memory = peaks.map(({ runtime, peakGpuBytes }) => `${runtime} ${digits(peakGpuBytes! / 1e6)} MB`).join(', ');
  return [
    `**${found.name}** (${found.source})${costText(found.cost)}`,
    markdownTable(
      columns.map(({ title }) => title),
      rows,
      columns.map(({ number }) => number),
    ),
    ...(memory ? [`GPU buffers at their peak: ${memory}.`] : []),
    ...profiled(found, ceilings),
  ].join('\n\n');
}

/** Kernels beyond these are one line. */
const mostKernels = 12;

/** Where the time goes, kernel by kernel. */
function profiled({ profile }: CaseResult, ceilings: Ceilings | null): string[] {
  if (!profile) return [];
  const sum = (kernels: readonly KernelTime[], of: (kernel: KernelTime) => number) =>
    kernels.reduce((total, kernel) => total + of(kernel), 0);
  const total = sum(profile, ({ milliseconds }) => milliseconds);
  const share = (milliseconds: number) => `${digits((100 * milliseconds) / total)} %`;
  const rows = profile.slice(0, mostKernels).map(({ label, calls, milliseconds, gflops, gigabytesPerSecond }) => {
    const limit = ceilings && Math.max(gflops / ceilings.gflops, gigabytesPerSecond / ceilings.gigabytesPerSecond);
    const reached = limit === null ? '' : `${Math.round(100 * limit)} %`;
    return [label, String(calls), digits(milliseconds), share(milliseconds), digits(gflops), reached];
  });
  const rest = profile.slice(mostKernels);
  if (rest.length > 0) {
    const milliseconds = sum(rest, (kernel) => kernel.milliseconds);
    const calls = sum(rest, (kernel) => kernel.calls);
    rows.push([`${rest.length} others`, String(calls), digits(milliseconds), share(milliseconds), '', '']);
  }
  const head = ['kernel', 'dispatches', 'ms', 'of the time', 'GFLOP/s', 'of the limit'];
  return [
    'Where our time goes, each dispatch by itself:',
    markdownTable(head, rows, [false, true, true, true, true, true]),
  ];
}

/** Time and work of each length, and how far from straight lines they are. */
function lengths(cases: readonly CaseResult[]): string {
  const rows = cases.map(({ name, cost, frames = 1, steps = 1, arms }) => {
    const [arm] = arms;
    const time = arm?.milliseconds?.median;
    return [
      name,
      digits(cost.flops / 1e9),
      String(arm?.dispatches ?? ''),
      time === undefined ? (arm?.failure ?? 'no time') : digits(time),
      time === undefined ? '' : digits(time / frames / steps),
      digits(cost.flops / frames / steps / 1e6),
    ];
  });
  const head = ['', 'GFLOP', 'dispatches', 'ms', 'ms per frame and step', 'MFLOP per frame and step'];
  return markdownTable(head, rows, [false, true, true, true, true, true]);
}

/** Work and memory of the page's programs. */
function programs({ plans }: BenchResult): string[] {
  if (plans.length === 0) return [];
  const rows = plans.map(({ name, runs, dispatches, flops, bytes, arenaBytes, activationBytes, liveBytes }) => [
    name,
    runs > 0 ? String(runs) : 'to compare',
    String(dispatches),
    digits(flops / 1e6),
    ...[bytes, arenaBytes, activationBytes].map((count) => digits(count / 1e6)),
    `${digits((100 * arenaBytes) / activationBytes)} %`,
    `${digits((100 * liveBytes) / arenaBytes)} %`,
  ]);
  const head = ['', 'runs a clip', 'dispatches', 'MFLOP', 'MB moved', 'arena, MB', 'activations, MB'];
  return [
    '### Programs of the page, and their memory',
    'Counted, as a GPU gets them with the defaults. All activations of a program lie in its arena, which is compared with their sum ' +
      '(what they would take if each had memory of its own) and with what is alive at the fullest moment (no arena can be smaller; WebGPU wants what a dispatch reads and what it writes in different buffers). ' +
      'Weights, and what is handed from one program to the next, lie beside it.',
    markdownTable([...head, 'arena of the sum', 'alive of the arena'], rows, [
      false,
      true,
      true,
      true,
      true,
      true,
      true,
      true,
      true,
    ]),
  ];
}

function predicted({ plans, predictions }: BenchResult): string[] {
  if (predictions.length === 0) return [];
  const rows = predictions.map((found) => [
    found.adapter,
    digits(found.pictureMilliseconds),
    digits(found.stepMilliseconds),
    digits(found.decodeMilliseconds),
    digits(found.clipSeconds),
    found.assumptions,
  ]);
  const steps = (part: PlanResult['part']) => plans.find((plan) => plan.part === part)?.runs;
  const head = ['', 'ms per picture step', 'ms per clip step', 'ms to decode', 's for a clip', 'assuming'];
  return [
    '### Predicted on GPUs',
    'From the FLOPs, bytes and dispatches of these programs, not measured: all runs of a clip, with ' +
      `${steps('picture')} picture steps, ${steps('clip')} clip steps, a preview after each, and decoding. Loading, compiling and the video's file come on top, and what a large GPU loses where a dispatch has too little work to fill it.`,
    markdownTable(head, rows, [false, true, true, true, true, false]),
  ];
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numbers: readonly boolean[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(numbers.map((number) => (number ? '---:' : '---'))), ...rows.map(line)].join('\n');
}
