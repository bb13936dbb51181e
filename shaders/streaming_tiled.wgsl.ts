// The streaming softmax through workgroup memory, as WGSL text. For GPUs: software adapters use streaming_direct.wgsl.ts.
// Rows and scores are streaming_softmax.wgsl.ts's.
import { counted, cross, linearMain, wgsl } from './wgsl';

/** A workgroup stages keys, then values, in workgroup memory; `lanes` threads share `rows` queries each. */
export interface TiledSchedule {
  readonly kind: 'tiled';
  readonly queries: number;
  readonly lanes: number;
  readonly rows: number;
  readonly keys: number;
  /**
   * The lanes share maxima and exponentials by shuffles, so that each exponential is taken once and not once per lane (needs
   * `subgroups` of at least `lanes` consecutive threads).
   */
  readonly subgroups?: boolean;
  /** Keys and values are staged as f16: half the workgroup memory, 11 bits of them (needs `shader-f16`). Sums stay f32. */
  readonly f16?: boolean;
}

/** What every WebGPU device has. */
const WORKGROUP_BYTES = 16384;

/** Entry point; the functions that it calls are those of streaming_softmax.wgsl.ts. */
export function streamingTiled(headDim: number, schedule: TiledSchedule): string {
  const { queries, lanes, rows, keys, subgroups = false, f16 = false } = schedule;
  const total = Math.ceil(headDim / 4); // vec4 chunks of a head
  const own = Math.ceil(total / lanes); // of them a thread accumulates these: lane, lane + lanes, ...
  const threads = (queries / rows) * lanes;
  const pitch = total + 1; // one vec4 of padding keeps the lanes' rows in different banks
  const R = counted(rows);
  const C = counted(own);
  const K = counted(keys / lanes);
  const whole = own * lanes === total;
  const bytes = (f16 ? 8 : 16) * keys * pitch + 4 * queries * (keys + 1);
  if (bytes > WORKGROUP_BYTES) {
    throw new RangeError(
      `attention: ${queries} queries and ${keys} keys of ${headDim} take ${bytes} bytes of workgroup memory, expected at most ` +
        `${WORKGROUP_BYTES}; take fewer keys`,
    );
  }
  const staged = f16 ? 'vec4h' : 'vec4f';
  const fill = (name: 'k' | 'v', side: string): string => `
    for (var at = local; at < ${keys * total}u; at += ${threads}u) {
      let row = at / ${total}u;
      tile[row * ${pitch}u + at % ${total}u] = ${staged}(load_${name}(${side}Start + min(start + row, params.keys - 1u) * ${side}Pitch, at % ${total}u, 0u));
    }`;
  const place = (r: number, k: number): string => `(query + ${r}u) * ${keys + 1}u + lane + ${k * lanes}u`;
  const score = (r: number, k: number): string =>
    `score(dot(s${r}_${k}, vec4f(1.0)), batch, head, i${r}, start + lane + ${k * lanes}u)`;
  const swaps = [1, 2, 4, 8].filter((distance) => distance < lanes);
  /** What was summed under the old max counts for less under the new one. */
  const fade = (r: number): string[] => [
    `let fade${r} = exp2(max${r} - top${r});`,
    `max${r} = top${r};`,
    `sum${r} *= fade${r};`,
    ...C.map((c) => `acc${r}_${c} *= fade${r};`),
  ];
  // With subgroups `scores` takes the keys' weights, else the scores, of which every lane makes the weights again.
  const keep = (r: number): string[] => {
    if (!subgroups) return K.map((k) => `scores[${place(r, k)}] = ${score(r, k)};`);
    return [
      ...K.map((k) => `let t${r}_${k} = ${score(r, k)};`),
      `var top${r} = ${K.reduce((most, k) => `max(${most}, t${r}_${k})`, `max${r}`)};`,
      ...swaps.map((distance) => `top${r} = max(top${r}, subgroupShuffleXor(top${r}, ${distance}u));`),
      ...fade(r),
      ...K.map((k) => `let p${r}_${k} = exp2(t${r}_${k} - top${r}); scores[${place(r, k)}] = p${r}_${k};`),
      `sum${r} += ${K.map((k) => `p${r}_${k}`).join(' + ')};`,
    ];
  };
  const newMax = (r: number): string[] => [
    `var top${r} = max${r};`,
    `for (var j = 0u; j < ${keys}u; j++) { top${r} = max(top${r}, scores[(query + ${r}u) * ${keys + 1}u + j]); }`,
    ...fade(r),
  ];
  const weight = (r: number): string => {
    const kept = `scores[(query + ${r}u) * ${keys + 1}u + j]`;
    return subgroups ? `let p${r} = ${kept};` : `let p${r} = exp2(${kept} - top${r}); sum${r} += p${r};`;
  };
  // With subgroups each lane has summed the weights of its own keys.
  const totals = swaps.flatMap((distance) => R.map((r) => `sum${r} += subgroupShuffleXor(sum${r}, ${distance}u);`));
  return wgsl`
var<workgroup> tile: array<${staged}, ${keys * pitch}>;
var<workgroup> scores: array<f32, ${queries * (keys + 1)}>;

${linearMain(threads)}
  let tiles = (params.queries + ${queries - 1}u) / ${queries}u;
  let slot = workgroupIndex / tiles;
  if (slot >= params.batches * params.heads) {
    return;
  }
  let batch = slot / params.heads;
  let head = slot % params.heads;
  let lane = local % ${lanes}u;
  let query = local / ${lanes}u * ${rows}u;  // first of this thread's queries, within the workgroup
  let first = workgroupIndex % tiles * ${queries}u + query;
  let last = params.queries - 1u;
  ${R.map((r) => `let i${r} = min(first + ${r}u, last);\n  let q${r} = queryBase(batch, head, i${r});`)}
  ${R.flatMap((r) => [`var max${r} = lowest;`, `var sum${r} = 0.0;`, ...C.map((c) => `var acc${r}_${c} = vec4f();`)])}
  let keyStart = keyBase(batch, head);
  let keyPitch = pitch(params.keyStride);
  let valueStart = valueBase(batch, head);
  let valuePitch = pitch(params.valueStride);
  for (var start = 0u; start < params.keys; start += ${keys}u) {
    ${fill('k', 'key')}
    workgroupBarrier();
    {
      // Scores: the lanes share the keys.
      ${cross(R, K, (r, k) => `var s${r}_${k} = vec4f();`)}
      for (var c = 0u; c < ${total}u; c++) {
        ${R.map((r) => `let query${r} = load_q(q${r}, c, lane);`)}
        ${K.map((k) => `let key${k} = vec4f(tile[(lane + ${k * lanes}u) * ${pitch}u + c]);`)}
        ${cross(R, K, (r, k) => `s${r}_${k} += query${r} * key${k};`)}
      }
      ${R.flatMap(keep)}
    }
    workgroupBarrier();
    ${fill('v', 'value')}
    workgroupBarrier();
    {
      // Values: the lanes share the channels.
      ${subgroups ? [] : R.flatMap(newMax)}
      for (var j = 0u; j < ${keys}u; j++) {
        ${R.map(weight)}
        ${C.map((c) => `let value${c} = vec4f(tile[j * ${pitch}u + ${whole ? `lane + ${c * lanes}u` : `min(lane + ${c * lanes}u, ${total - 1}u)`}]);`)}
        ${cross(R, C, (r, c) => `acc${r}_${c} += p${r} * value${c};`)}
      }
    }
    workgroupBarrier();
  }
  ${subgroups ? totals : []}
  ${R.map(
    (r) => wgsl`if (first + ${r}u <= last) {
    let inverse = select(0.0, 1.0 / sum${r}, sum${r} > 0.0);
    let o = outBase(batch, head, i${r});
    ${C.map((c) => `${whole ? '' : `if (lane + ${c * lanes}u < ${total}u) `}{ storeOut(o, lane + ${c * lanes}u, 0u, acc${r}_${c} * inverse); }`)}
  }`,
  )}
}
`;
}
