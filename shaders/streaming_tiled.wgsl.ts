// The streaming softmax through workgroup memory, as WGSL text. For GPUs: software adapters use streaming_direct.wgsl.ts.
// Rows and scores are streaming_softmax.wgsl.ts's.
import { counted, linearMain, wgsl } from './wgsl';

/** A workgroup stages keys, then values, in workgroup memory; `lanes` threads share `rows` queries each. */
export interface TiledSchedule {
  readonly kind: 'tiled';
  readonly queries: number;
  readonly lanes: number;
  readonly rows: number;
  readonly keys: number;
}

/** What every WebGPU device has. */
const WORKGROUP_BYTES = 16384;

/** Entry point; the functions that it calls are those of streaming_softmax.wgsl.ts. */
export function streamingTiled(headDim: number, { queries, lanes, rows, keys }: TiledSchedule): string {
  const total = Math.ceil(headDim / 4); // vec4 chunks of a head
  const own = Math.ceil(total / lanes); // of them a thread accumulates these: lane, lane + lanes, ...
  const threads = (queries / rows) * lanes;
  const pitch = total + 1; // one vec4 of padding keeps the lanes' rows in different banks
  const R = counted(rows);
  const C = counted(own);
  const K = counted(keys / lanes);
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
  const place = (r: number, k: number): string => `(query + ${r}u) * ${keys + 1}u + lane + ${k * lanes}u`;
  const score = (r: number, k: number): string =>
    `score(dot(s${r}_${k}, vec4f(1.0)), batch, head, i${r}, start + lane + ${k * lanes}u)`;
  const keep = (r: number): string[] => K.map((k) => `scores[${place(r, k)}] = ${score(r, k)};`);
  /** The new max; what was summed under the old one counts for less. */
  const newMax = (r: number): string[] => [
    `var top${r} = max${r};`,
    `for (var j = 0u; j < ${keys}u; j++) { top${r} = max(top${r}, scores[(query + ${r}u) * ${keys + 1}u + j]); }`,
    `let fade${r} = exp2(max${r} - top${r});`,
    `max${r} = top${r};`,
    `sum${r} *= fade${r};`,
    ...C.map((c) => `acc${r}_${c} *= fade${r};`),
  ];
  const weight = (r: number): string =>
    `let p${r} = exp2(scores[(query + ${r}u) * ${keys + 1}u + j] - top${r}); sum${r} += p${r};`;
  return wgsl`
var<workgroup> tile: array<vec4f, ${keys * pitch}>;
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
  ${R.map((r) => `let i${r} = min(first + ${r}u, last);\n  let q${r} = queryBase(batch, head, i${r});`).join('\n  ')}
  ${R.flatMap((r) => [`var max${r} = lowest;`, `var sum${r} = 0.0;`, ...C.map((c) => `var acc${r}_${c} = vec4f();`)]).join('\n  ')}
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
      ${lines(R.flatMap(keep))}
    }
    workgroupBarrier();
    ${fill('v', 'value')}
    workgroupBarrier();
    {
      // Values: the lanes share the channels.
      ${lines(R.flatMap(newMax))}
      for (var j = 0u; j < ${keys}u; j++) {
        ${R.map(weight).join('\n        ')}
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
