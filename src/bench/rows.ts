// One case as the cells of a table, for the page and for the report. Words and numbers alone.
import {
  type ArmResult,
  type CaseResult,
  type Ceilings,
  type Cost,
  limitMilliseconds,
  type TuningResult,
} from './result';

export const columns: readonly { readonly title: string; readonly number: boolean }[] = [
  { title: 'arm', number: false },
  { title: 'how', number: false },
  { title: 'ms, median (quartiles) of n', number: true },
  { title: 'GFLOP/s', number: true },
  { title: 'of the limit', number: true },
  { title: 'ours is', number: true },
  { title: 'dispatches', number: true },
  { title: 'compile, ms', number: true },
  { title: 'error', number: true },
];

export interface Row {
  readonly arm: ArmResult;
  readonly cells: readonly string[];
}

export function armRows(result: CaseResult, ceilings: Ceilings | null): Row[] {
  const ours = result.arms.find(({ kind }) => kind === 'ours')?.milliseconds?.median;
  return result.arms.map((arm) => ({ arm, cells: cellsOf(arm, result, ceilings, ours) }));
}

function cellsOf(arm: ArmResult, { cost }: CaseResult, ceilings: Ceilings | null, ours: number | undefined): string[] {
  const { runtime, kind, how, milliseconds, failure } = arm;
  const name = kind === 'ours' ? 'Flipbook' : `${runtime}${kind === 'record' ? '' : `, ${kind}`}`;
  if (!milliseconds) return [name, `${how}: ${failure ?? 'no time'}`, '–', '', '', '', '', '', ''];
  const { median, q1, q3, samples } = milliseconds;
  const onCpu = kind === 'record';
  const limit = ceilings && cost.flops > 0 && !onCpu ? limitMilliseconds(cost, ceilings) / median : undefined;
  return [
    name,
    how,
    `${digits(median)} (${digits(q1)}–${digits(q3)}) of ${samples}`,
    cost.flops > 0 ? digits(cost.flops / median / 1e6) : '',
    limit === undefined ? '' : `${Math.round(100 * limit)} %`,
    kind === 'ours' || ours === undefined ? '' : `${digits(median / ours)}×`,
    arm.dispatches === undefined || onCpu ? '' : String(arm.dispatches),
    arm.compileMilliseconds === undefined ? '' : digits(arm.compileMilliseconds),
    arm.error === undefined ? '' : arm.error.toExponential(1),
  ];
}

/** How the kernels were tuned, in a sentence without its end. */
export function tuningText({ milliseconds, budget, problems, measured, changed, remembered }: TuningResult): string {
  const [took, most] = [milliseconds, budget].map((ms) => (ms / 1e3).toFixed(1));
  const kept = remembered ? '' : '; this browser keeps nothing';
  return `Tuning: ${took} s of at most ${most} s, ${measured} of ${problems} kernels measured, ${changed} changed${kept}`;
}

/** The counted work of a case, as the end of its heading; nothing where none is counted. */
export function costText({ flops, bytes }: Cost): string {
  return flops > 0 ? `: ${digits(flops / 1e6)} MFLOP, ${digits(bytes / 1e6)} MB` : '';
}

/** Three significant digits, without exponents. */
export function digits(value: number): string {
  if (value === 0) return '0';
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(places, 6));
}
