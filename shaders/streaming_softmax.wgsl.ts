// Attention with a streaming softmax as WGSL text, over rows that another file addresses. Not a kernel family of its own:
// attention.wgsl.ts reads rows within a frame, temporal_attention.wgsl.ts reads them across frames.
//
// Running max and sum are f32; the scores carry log2(e), so that exp2 does the exponential; one division ends it
// (Milakov & Gimelshein 2018; Dao et al. 2022).
import { f32, paramsStruct, type Shader, type ShaderParam, wgsl } from './wgsl';

export interface StreamingOptions {
  readonly headDim: number;
  /** Head dimension and row strides are multiples of four: rows are read as vec4f. */
  readonly aligned: boolean;
  /** A [key batches, keys] tensor of 1 (keep) and 0 (padding) follows v. */
  readonly masked: boolean;
  /** A bias table [heads, entries] follows: its WGSL expression for (head, i, j), in units of the logits. */
  readonly bias?: string;
  /** Names the kernel in profiles. */
  readonly label: string;
  /** WGSL functions `firstQuery(batch) -> u32` and `firstKey(batch) -> u32`: rows; and `maskRow(batch) -> u32` if masked. */
  readonly rows: string;
  /** Uniforms that `rows` and `bias` read, after those of `streamingParams`. */
  readonly params: readonly ShaderParam[];
  readonly schedule: Schedule;
}

/**
 * 'tiled': a workgroup stages keys, then values, in workgroup memory; `lanes` threads share `rows` queries each. For GPUs.
 * 'direct': one thread makes `rows` queries and reads `keys` keys at a time from storage, without barriers. Four neighbours
 * share a batch and a head, so that a software adapter, four lanes wide, reads keys and values as scalars.
 */
export type Schedule =
  | {
      readonly kind: 'tiled';
      readonly queries: number;
      readonly lanes: number;
      readonly rows: number;
      readonly keys: number;
    }
  | {
      readonly kind: 'direct';
      readonly rows: number;
      readonly keys: number;
      /** The four neighbours load one channel each and swap (needs `subgroups` with quads of consecutive threads, and whole vec4s). */
      readonly quads?: boolean;
    };

/**
 * Strides (of a row) and offsets are in elements; a query or key is `rowStep` rows after the one before it.
 * `scale` is log2(e) / sqrt(head dimension).
 */
export const streamingParams = [
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
] as const satisfies readonly ShaderParam[];

/** Scores of keys that do not exist, and the running max before the first key: exp2 of the difference is exactly 0. */
const ABSENT = -1e30;
const LOWEST = -1e20;
const DIRECT_THREADS = 64;
/** What every WebGPU device has. */
const WORKGROUP_BYTES = 16384;

/** Threads of a workgroup, for the grid. */
export function streamingWorkgroup(schedule: Schedule): number {
  return schedule.kind === 'direct' ? DIRECT_THREADS : (schedule.queries / schedule.rows) * schedule.lanes;
}

/** Threads (direct) or workgroups (tiled) for one batch and head. */
export function streamingTiles(schedule: Schedule, queries: number): number {
  if (schedule.kind === 'tiled') return Math.ceil(queries / schedule.queries);
  return Math.ceil(Math.ceil(queries / schedule.rows) / 4) * 4;
}

/** Arguments: q, k, v, mask if masked, bias if there is one, out. q, k and v may be one fused tensor. */
export function streamingSoftmax(options: StreamingOptions): Shader {
  const { headDim, aligned, masked, bias, schedule } = options;
  const params = [...streamingParams, ...options.params];
  const quads = schedule.kind === 'direct' && schedule.quads === true;
  if (quads && !aligned) throw new RangeError(`attention: heads of ${headDim} do not divide into quads`);
  const element = aligned && !quads ? 'vec4f' : 'f32';
  const names = ['q', 'k', 'v', ...(masked ? ['mask'] : []), ...(bias === undefined ? [] : ['biasTable'])];
  const details =
    schedule.kind === 'direct'
      ? `${schedule.rows}x${schedule.keys}${schedule.quads ? ' quads' : ''}`
      : `${schedule.queries}x${schedule.keys}/${schedule.lanes}x${schedule.rows}`;
  return {
    label: `${options.label} d${headDim}${masked ? ' masked' : ''}${aligned ? '' : ' unaligned'} ${schedule.kind} ${details}`,
    access: [...names.map(() => 'read' as const), 'write'],
    params,
    code: wgsl`
#if ${quads}
enable subgroups;
diagnostic(off, subgroup_uniformity);
#endif
${paramsStruct(params, names.length + 1)}
${names.map((name, i) => `@group(0) @binding(${i}) var<storage, read> ${name}: array<${i < 3 ? element : 'f32'}>;`).join('\n')}
@group(0) @binding(${names.length}) var<storage, read_write> out: array<${element}>;
${options.rows}
${access(headDim, quads ? 'quads' : aligned ? 'vec4f' : 'f32')}
fn score(dotProduct: f32, batch: u32, head: u32, i: u32, j: u32) -> f32 {
  var s = dotProduct * params.scale;
#if ${bias !== undefined}
  s += 1.4426950408889634 * ${bias ?? ''};
#endif
#if ${masked}
  s = select(${f32(ABSENT)}, s, mask[maskRow(batch) * params.keys + j] > 0.0);
#endif
  return select(${f32(ABSENT)}, s, j < params.keys);
}
${schedule.kind === 'direct' ? direct(headDim, schedule) : tiled(headDim, schedule)}
`,
  };
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
        return `${signature} { return vec4f(${[0, 1, 2, 3].map((u) => `q[base + 4u * chunk + (lane ^ ${u}u)]`).join(', ')}); }`;
      return `${signature} {
  let value = ${name}[base + 4u * chunk + lane];
  return vec4f(value, quadSwapX(value), quadSwapY(value), quadSwapDiagonal(value));
}`;
    }
    return `${signature} {
  let channel = 4u * chunk + vec4u(0u, 1u, 2u, 3u);
  let value = vec4f(${['x', 'y', 'z', 'w'].map((c) => `${name}[base + channel.${c}]`).join(', ')});
  return select(vec4f(), value, channel < vec4u(${headDim}u));
}`;
  };
  const stores = {
    vec4f: 'out[base + chunk] = value;',
    quads: ['x', 'y', 'z', 'w'].map((c, u) => `out[base + 4u * chunk + (lane ^ ${u}u)] = value.${c};`).join('\n  '),
    f32: ['x', 'y', 'z', 'w']
      .map((c, i) => `if (4u * chunk + ${i}u < ${headDim}u) { out[base + 4u * chunk + ${i}u] = value.${c}; }`)
      .join('\n  '),
  };
  const store = `fn storeOut(base: u32, chunk: u32, lane: u32, value: vec4f) {
  ${stores[element]}
}`;
  const unit = aligned ? 4 : 1;
  const base = (row: string, stride: string, offset: string): string =>
    `(${row} * params.${stride} + ${offset} + head * ${headDim}u) / ${unit}u`;
  return `
${['q', 'k', 'v'].map(load).join('\n')}
${store}
fn queryBase(batch: u32, head: u32, i: u32) -> u32 { return ${base('(firstQuery(batch) + i * params.rowStep)', 'queryStride', 'params.queryOffset')}; }
fn keyBase(batch: u32, head: u32) -> u32 { return ${base('firstKey(batch)', 'keyStride', 'params.keyOffset')}; }
fn valueBase(batch: u32, head: u32) -> u32 { return ${base('firstKey(batch)', 'valueStride', 'params.valueOffset')}; }
fn outBase(batch: u32, head: u32, i: u32) -> u32 { return ${base('(firstQuery(batch) + i * params.rowStep)', 'outStride', '0u')}; }
fn pitch(stride: u32) -> u32 { return params.rowStep * stride / ${unit}u; }
`;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Most keys whose weights a thread of the direct kernel keeps at once. */
const MOST_BLOCK = 64;

function direct(headDim: number, { rows, keys }: { readonly rows: number; readonly keys: number }): string {
  const chunks = Math.ceil(headDim / 4);
  const block = Math.floor(MOST_BLOCK / keys) * keys;
  const R = range(rows);
  const K = range(keys);
  // A software adapter pays for every store to a variable inside a loop: sums take several products a statement.
  const unroll = [2, 1].find((size) => chunks % size === 0)!;
  const U = range(unroll);
  const perRow = rows === 1 ? 'f32' : `vec${rows}f`;
  const part = (value: string, r: number): string => (rows === 1 ? value : `${value}[${r}]`);
  const gather = (of: (r: number) => string): string => `${perRow}(${R.map(of).join(', ')})`;
  const dots = (r: number, k: number): string =>
    U.flatMap((u) => ['x', 'y', 'z', 'w'].map((c) => [`query${r}_${u}.${c}`, `key${k}_${u}.${c}`])).reduce(
      (sum, [q, key]) => `fma(${q}, ${key}, ${sum})`,
      `s${r}_${k}`,
    );
  const weighted = (r: number, u: number): string =>
    K.reduce((sum, k) => `fma(vec4f(${part(`weight${k}`, r)}), value${k}_${u}, ${sum})`, `a${r}_${u}`);
  const lines = (indent: number, items: readonly string[]): string => items.join(`\n${' '.repeat(indent)}`);
  const cross = (of: (r: number, u: number) => string): string[] => R.flatMap((r) => U.map((u) => of(r, u)));
  return wgsl`
@compute @workgroup_size(${DIRECT_THREADS})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let thread = (workgroup.y * workgroups.x + workgroup.x) * ${DIRECT_THREADS}u + local;
  let threads = (params.queries + ${4 * rows - 1}u) / ${4 * rows}u * 4u;  // of one batch and head
  let slot = thread / threads;
  // Threads past the end repeat the last work without storing: an idle lane would slow its neighbours down.
  let batch = min(slot / params.heads, params.batches - 1u);
  let head = slot % params.heads;
  let lane = local & 3u;
  let first = (thread % threads) * ${rows}u;
  let last = params.queries - 1u;
  ${lines(
    2,
    R.map((r) => `let i${r} = min(first + ${r}u, last);`),
  )}
  var query: array<vec4f, ${rows * chunks}>;
  var acc: array<vec4f, ${rows * chunks}>;
  for (var r = 0u; r < ${rows}u; r++) {
    let base = queryBase(batch, head, min(first + r, last));
    for (var c = 0u; c < ${chunks}u; c++) {
      query[c * ${rows}u + r] = load_q(base, c, lane);
    }
  }
  var weights: array<${perRow}, ${block}>;  // logits, then their exponentials
  var highest = ${perRow}(${f32(LOWEST)});
  var sum = ${perRow}();
  let keyStart = keyBase(batch, head);
  let keyPitch = pitch(params.keyStride);
  let valueStart = valueBase(batch, head);
  let valuePitch = pitch(params.valueStride);
  for (var start = 0u; start < params.keys; start += ${block}u) {
    let count = min(params.keys - start, ${block}u);
    var top = highest;
    for (var j = 0u; j < count; j += ${keys}u) {
      ${lines(
        6,
        K.map((k) => `let k${k} = keyStart + min(start + j + ${k}u, params.keys - 1u) * keyPitch;`),
      )}
      ${lines(
        6,
        R.flatMap((r) => K.map((k) => `var s${r}_${k} = 0.0;`)),
      )}
      for (var c = 0u; c < ${chunks}u; c += ${unroll}u) {
        ${lines(
          8,
          cross((r, u) => `let query${r}_${u} = query[(c + ${u}u) * ${rows}u + ${r}u];`),
        )}
        ${lines(
          8,
          K.flatMap((k) => U.map((u) => `let key${k}_${u} = load_k(k${k}, c + ${u}u, lane);`)),
        )}
        ${lines(
          8,
          R.flatMap((r) => K.map((k) => `s${r}_${k} = ${dots(r, k)};`)),
        )}
      }
      ${lines(
        6,
        K.map((k) => `weights[j + ${k}u] = ${gather((r) => `s${r}_${k}`)};`),
      )}
    }
    // Apart from the products, so that the text of a logit stands here once.
    for (var j = 0u; j < count; j++) {
      let logit = ${gather((r) => `score(${part('weights[j]', r)}, batch, head, i${r}, start + j)`)};
      top = max(top, logit);
      weights[j] = logit;
    }
    let fade = exp2(highest - top);
    highest = top;
    sum *= fade;
    for (var j = 0u; j < count; j++) {
      let weight = exp2(weights[j] - top);
      sum += weight;
      weights[j] = weight;
    }
    for (var j = count; j % ${keys}u != 0u; j++) {
      weights[j] = ${perRow}();
    }
    for (var c = 0u; c < ${chunks}u; c += ${unroll}u) {
      ${lines(
        6,
        cross((r, u) => `var a${r}_${u} = acc[(c + ${u}u) * ${rows}u + ${r}u] * ${part('fade', r)};`),
      )}
      for (var j = 0u; j < count; j += ${keys}u) {
        ${lines(
          8,
          K.flatMap((k) => [
            `let weight${k} = weights[j + ${k}u];`,
            `let v${k} = valueStart + min(start + j + ${k}u, params.keys - 1u) * valuePitch;`,
            ...U.map((u) => `let value${k}_${u} = load_v(v${k}, c + ${u}u, lane);`),
          ]),
        )}
        ${lines(
          8,
          cross((r, u) => `a${r}_${u} = ${weighted(r, u)};`),
        )}
      }
      ${lines(
        6,
        cross((r, u) => `acc[(c + ${u}u) * ${rows}u + ${r}u] = a${r}_${u};`),
      )}
    }
  }
  if (slot < params.batches * params.heads) {
    let inverse = select(${perRow}(), 1.0 / sum, sum > ${perRow}());
    for (var r = 0u; r < min(${rows}u, params.queries - min(first, params.queries)); r++) {
      let base = outBase(batch, head, first + r);
      for (var c = 0u; c < ${chunks}u; c++) {
        storeOut(base, c, lane, acc[c * ${rows}u + r] * ${rows === 1 ? 'inverse' : 'inverse[r]'});
      }
    }
  }
}
`;
}

function tiled(headDim: number, { queries, lanes, rows, keys }: Extract<Schedule, { kind: 'tiled' }>): string {
  const total = Math.ceil(headDim / 4); // vec4 chunks of a head
  const own = Math.ceil(total / lanes); // of them a thread accumulates these: lane, lane + lanes, ...
  const threads = (queries / rows) * lanes;
  const pitch = total + 1; // one vec4 of padding keeps the lanes' rows in different banks
  const R = range(rows);
  const C = range(own);
  const K = range(keys / lanes);
  const lines = (items: readonly string[]): string => items.join('\n      ');
  const whole = own * lanes === total;
  const bytes = 16 * keys * pitch + 4 * queries * (keys + 1);
  if (bytes > WORKGROUP_BYTES) {
    throw new RangeError(
      `attention: ${queries} queries and ${keys} keys of ${headDim} take ${bytes} bytes of workgroup memory, expected at most ` +
        `${WORKGROUP_BYTES}; take fewer keys`,
    );
  }
  const fill = (name: 'k' | 'v', side: string): string => `
    for (var at = local; at < ${keys * total}u; at += ${threads}u) {
      let row = at / ${total}u;
      tile[row * ${pitch}u + at % ${total}u] = load_${name}(${side}Start + min(start + row, params.keys - 1u) * ${side}Pitch, at % ${total}u, 0u);
    }`;
  return wgsl`
var<workgroup> tile: array<vec4f, ${keys * pitch}>;
var<workgroup> scores: array<f32, ${queries * (keys + 1)}>;

@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let tiles = (params.queries + ${queries - 1}u) / ${queries}u;
  let index = workgroup.y * workgroups.x + workgroup.x;
  let slot = index / tiles;
  if (slot >= params.batches * params.heads) {
    return;
  }
  let batch = slot / params.heads;
  let head = slot % params.heads;
  let lane = local % ${lanes}u;
  let query = local / ${lanes}u * ${rows}u;  // first of this thread's queries, within the workgroup
  let first = index % tiles * ${queries}u + query;
  let last = params.queries - 1u;
  ${R.map((r) => `let i${r} = min(first + ${r}u, last);\n  let q${r} = queryBase(batch, head, i${r});`).join('\n  ')}
  ${R.flatMap((r) => [`var max${r} = ${f32(LOWEST)};`, `var sum${r} = 0.0;`, ...C.map((c) => `var acc${r}_${c} = vec4f();`)]).join('\n  ')}
  let keyStart = keyBase(batch, head);
  let keyPitch = pitch(params.keyStride);
  let valueStart = valueBase(batch, head);
  let valuePitch = pitch(params.valueStride);
  for (var start = 0u; start < params.keys; start += ${keys}u) {
    ${fill('k', 'key')}
    workgroupBarrier();
    {
      // Scores: the lanes share the keys.
      ${lines(R.flatMap((r) => K.map((k) => `var s${r}_${k} = vec4f();`)))}
      for (var c = 0u; c < ${total}u; c++) {
        ${R.map((r) => `let query${r} = load_q(q${r}, c, lane);`).join('\n        ')}
        ${K.map((k) => `let key${k} = tile[(lane + ${k * lanes}u) * ${pitch}u + c];`).join('\n        ')}
        ${R.flatMap((r) => K.map((k) => `s${r}_${k} += query${r} * key${k};`)).join('\n        ')}
      }
      ${lines(
        R.flatMap((r) =>
          K.map(
            (k) =>
              `scores[(query + ${r}u) * ${keys + 1}u + lane + ${k * lanes}u] = score(dot(s${r}_${k}, vec4f(1.0)), batch, head, i${r}, start + lane + ${k * lanes}u);`,
          ),
        ),
      )}
    }
    workgroupBarrier();
    ${fill('v', 'value')}
    workgroupBarrier();
    {
      // Values: the lanes share the channels.
      ${lines(
        R.flatMap((r) => [
          `var top${r} = max${r};`,
          `for (var j = 0u; j < ${keys}u; j++) { top${r} = max(top${r}, scores[(query + ${r}u) * ${keys + 1}u + j]); }`,
          `let fade${r} = exp2(max${r} - top${r});`,
          `max${r} = top${r};`,
          `sum${r} *= fade${r};`,
          ...C.map((c) => `acc${r}_${c} *= fade${r};`),
        ]),
      )}
      for (var j = 0u; j < ${keys}u; j++) {
        ${R.map((r) => `let p${r} = exp2(scores[(query + ${r}u) * ${keys + 1}u + j] - top${r});\n        sum${r} += p${r};`).join('\n        ')}
        ${C.map((c) => `let value${c} = tile[j * ${pitch}u + ${whole ? `lane + ${c * lanes}u` : `min(lane + ${c * lanes}u, ${total - 1}u)`}];`).join('\n        ')}
        ${R.flatMap((r) => C.map((c) => `acc${r}_${c} += p${r} * value${c};`)).join('\n        ')}
      }
    }
    workgroupBarrier();
  }
  ${R.map(
    (r) => `if (first + ${r}u <= last) {
    let inverse = select(0.0, 1.0 / sum${r}, sum${r} > 0.0);
    let o = outBase(batch, head, i${r});
    ${C.map((c) => `${whole ? '' : `if (lane + ${c * lanes}u < ${total}u) `}{ storeOut(o, lane + ${c * lanes}u, 0u, acc${r}_${c} * inverse); }`).join('\n    ')}
  }`,
  ).join('\n  ')}
}
`;
}
