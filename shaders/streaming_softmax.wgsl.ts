// Attention with a streaming softmax as WGSL text, over rows that another file addresses. Not a kernel family of its own:
// attention.wgsl.ts reads rows within a frame, temporal_attention.wgsl.ts reads them across frames.
//
// Running max and sum are f32; the scores carry log2(e), so that exp2 does the exponential; one division ends it
// (Milakov & Gimelshein 2018; Dao et al. 2022).
import { type DirectSchedule, streamingDirect } from './streaming_direct.wgsl';
import { streamingTiled, type TiledSchedule } from './streaming_tiled.wgsl';
import { streamingWhole, type WholeSchedule } from './streaming_whole.wgsl';
import {
  components,
  counted,
  enables,
  type Shader,
  type ShaderParam,
  shaderInterface,
  wgsl,
  workgroupSize,
} from './wgsl';

export interface StreamingOptions {
  readonly headDim: number;
  /** Head dimension and row strides are multiples of four: rows are read as vec4f. */
  readonly aligned: boolean;
  /** A [batches, keys] tensor of 1 (keep) and 0 (padding) follows v. */
  readonly masked: boolean;
  /** A bias table [heads, entries] follows: its WGSL expression for (head, i, j), in units of the logits. */
  readonly bias?: string;
  /** Names the kernel in profiles. */
  readonly label: string;
  /** WGSL functions `firstQuery(batch: u32) -> u32` and `firstKey(batch: u32) -> u32`: rows. */
  readonly rows: string;
  /** Uniforms that `rows` and `bias` read, after those of `streamingParams`. */
  readonly params: readonly ShaderParam[];
  readonly schedule: Schedule;
}

export type Schedule = DirectSchedule | TiledSchedule | WholeSchedule;

/**
 * Strides (of a row) and offsets are in elements; a query or key is `rowStep` rows after the one before it.
 * `scale` is log2(e) / sqrt(head dimension).
 */
const streamingParams: readonly ShaderParam[] = [
  ['batches', 'u32'],
  ['heads', 'u32'],
  ['queries', 'u32'],
  ['keys', 'u32'],
  ['rowStep', 'u32'],
  ['queryStride', 'u32'],
  ['queryOffset', 'u32'],
  ['keyStride', 'u32'],
  ['keyOffset', 'u32'],
  ['valueStride', 'u32'],
  ['valueOffset', 'u32'],
  ['outStride', 'u32'],
  ['scale', 'f32'],
];

/** How many of `streamingTiles` a workgroup does, for the grid. */
export function streamingWorkgroup(schedule: Schedule): number {
  return schedule.kind === 'tiled' ? 1 : workgroupSize;
}

/** Threads (direct, whole) or workgroups (tiled) for one batch and head. */
export function streamingTiles(schedule: Schedule, queries: number): number {
  if (schedule.kind === 'tiled') return Math.ceil(queries / schedule.queries);
  return Math.ceil(Math.ceil(queries / schedule.rows) / 4) * 4;
}

function scheduleLabel(schedule: Schedule): string {
  if (schedule.kind !== 'tiled') {
    const most = schedule.kind === 'whole' || schedule.most === undefined ? '' : ` of ${schedule.most}`;
    return `${schedule.kind} ${schedule.rows}x${schedule.keys}${schedule.quads ? ' quads' : ''}${most}`;
  }
  const { queries, keys, lanes, rows, subgroups, f16 } = schedule;
  return `tiled ${queries}x${keys}/${lanes}x${rows}${subgroups ? ' subgroups' : ''}${f16 ? ' f16' : ''}`;
}

/** Arguments: q, k, v, mask if masked, bias if there is one, out. q, k and v may be one fused tensor. */
export function streamingSoftmax(options: StreamingOptions): Shader {
  const { headDim, aligned, masked, bias, schedule } = options;
  const params = [...streamingParams, ...options.params];
  const tiled = schedule.kind === 'tiled' ? schedule : undefined;
  const quads = schedule.kind !== 'tiled' && schedule.quads === true;
  if (quads && !aligned) throw new RangeError(`attention: heads of ${headDim} do not divide into quads`);
  const element = aligned && !quads ? 'vec4f' : 'f32';
  const names = ['q', 'k', 'v', ...(masked ? ['mask'] : []), ...(bias === undefined ? [] : ['biasTable'])];
  const { declarations, ...shader } = shaderInterface(
    [...names.map((name, i) => [name, 'read', i < 3 ? element : 'f32'] as const), ['out', 'write', element]],
    params,
  );
  return {
    ...shader,
    label: `${options.label} d${headDim}${masked ? ' masked' : ''}${aligned ? '' : ' unaligned'} ${scheduleLabel(schedule)}`,
    code: wgsl`
${enables({ f16: tiled?.f16 === true, subgroups: quads || tiled?.subgroups === true })}
${declarations}
// The score of keys that do not exist, and the running max before the first key: exp2 of the difference is exactly 0.
const absent = -1e30f;
const lowest = -1e20f;
${options.rows}
${access(headDim, quads ? 'quads' : aligned ? 'vec4f' : 'f32')}
fn score(dotProduct: f32, batch: u32, head: u32, i: u32, j: u32) -> f32 {
  var s = dotProduct * params.scale;
#if ${bias !== undefined}
  s += 1.4426950408889634 * ${bias ?? ''};
#endif
#if ${masked}
  s = select(absent, s, mask[batch * params.keys + j] > 0.0);
#endif
  return select(absent, s, j < params.keys);
}
${entryPoint(headDim, schedule)}
`,
  };
}

function entryPoint(headDim: number, schedule: Schedule): string {
  if (schedule.kind === 'tiled') return streamingTiled(headDim, schedule);
  return schedule.kind === 'whole' ? streamingWhole(headDim, schedule) : streamingDirect(headDim, schedule);
}

/**
 * `load_q/k/v(base, chunk, lane)` and `storeOut(base, chunk, lane, value)`: four elements of a head, zero past its end. `base` in
 * units of the binding. As 'quads', component u is channel `lane ^ u` of the chunk.
 */
function access(headDim: number, element: 'vec4f' | 'f32' | 'quads'): string {
  const aligned = element === 'vec4f';
  const load = (name: string): string => {
    const signature = `fn load_${name}(base: u32, chunk: u32, lane: u32) -> vec4f`;
    if (aligned) return `${signature} { return ${name}[base + chunk]; }`;
    if (element === 'quads') {
      if (name === 'q')
        return `${signature} { return vec4f(${counted(4)
          .map((u) => `q[base + 4u * chunk + (lane ^ ${u}u)]`)
          .join(', ')}); }`;
      return `${signature} {
  let value = ${name}[base + 4u * chunk + lane];
  return vec4f(value, quadSwapX(value), quadSwapY(value), quadSwapDiagonal(value));
}`;
    }
    return `${signature} {
  let channel = 4u * chunk + vec4u(0u, 1u, 2u, 3u);
  let value = vec4f(${components.map((c) => `${name}[base + channel.${c}]`).join(', ')});
  return select(vec4f(), value, channel < vec4u(${headDim}u));
}`;
  };
  const stores = {
    vec4f: 'out[base + chunk] = value;',
    quads: components.map((c, u) => `out[base + 4u * chunk + (lane ^ ${u}u)] = value.${c};`),
    f32: components.map(
      (c, i) => `if (4u * chunk + ${i}u < ${headDim}u) { out[base + 4u * chunk + ${i}u] = value.${c}; }`,
    ),
  };
  const store = wgsl`fn storeOut(base: u32, chunk: u32, lane: u32, value: vec4f) {
  ${stores[element]}
}`;
  const unit = aligned ? 4 : 1;
  const base = (row: string, stride: string, offset: string): string =>
    `(${row} * params.${stride} + ${offset} + head * ${headDim}u) / ${unit}u`;
  return wgsl`
${['q', 'k', 'v'].map(load)}
${store}
fn queryBase(batch: u32, head: u32, i: u32) -> u32 { return ${base('(firstQuery(batch) + i * params.rowStep)', 'queryStride', 'params.queryOffset')}; }
fn keyBase(batch: u32, head: u32) -> u32 { return ${base('firstKey(batch)', 'keyStride', 'params.keyOffset')}; }
fn valueBase(batch: u32, head: u32) -> u32 { return ${base('firstKey(batch)', 'valueStride', 'params.valueOffset')}; }
fn outBase(batch: u32, head: u32, i: u32) -> u32 { return ${base('(firstQuery(batch) + i * params.rowStep)', 'outStride', '0u')}; }
fn pitch(stride: u32) -> u32 { return params.rowStep * stride / ${unit}u; }
`;
}
