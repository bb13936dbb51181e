// The streaming softmax in registers, straight from storage, without barriers, as WGSL text. For software adapters: GPUs use
// streaming_tiled.wgsl.ts. Rows and scores are streaming_softmax.wgsl.ts's.
import { components, counted, cross, fmas, linearMain, wgsl, workgroupSize } from './wgsl';

/**
 * One thread makes `rows` queries and reads `keys` keys at a time. Four neighbours share a batch and a head, so that a
 * software adapter, four lanes wide, reads keys and values as scalars.
 */
export interface DirectSchedule {
  readonly kind: 'direct';
  readonly rows: number;
  readonly keys: number;
  /** The four neighbours load one channel each and swap (needs `subgroups` with quads of consecutive threads, and whole vec4s). */
  readonly quads?: boolean;
  /**
   * There are at most this many keys: all their weights are there before the first value is read, so that sums end in
   * registers. Otherwise keys come in blocks, and queries and sums lie in arrays between them.
   */
  readonly most?: number;
}

/** Most keys whose weights a thread keeps at once. */
const MOST_BLOCK = 64;

/**
 * The beginning of an entry point whose threads make `rows` queries each. Four neighbouring threads are of one batch and head.
 * It declares `slot` (batch and head as one number), `batch`, `head`, `lane` (of the four) and the queries `i0`, `i1`, ...
 */
export function quadsOfQueries(rows: number): string {
  const index = (r: number): string => `let i${r} = min(first + ${r}u, last);`;
  return wgsl`${linearMain(workgroupSize)}
  let threads = (params.queries + ${4 * rows - 1}u) / ${4 * rows}u * 4u;  // of one batch and head
  let slot = thread / threads;
  // Threads past the end repeat the last work without storing: an idle lane would slow its neighbours down.
  let batch = min(slot / params.heads, params.batches - 1u);
  let head = slot % params.heads;
  let lane = local & 3u;
  let first = (thread % threads) * ${rows}u;
  let last = params.queries - 1u;
  ${counted(rows).map(index)}`;
}

/** vec4s of each head that one step takes, so that each of its sums is stored once for eight products. */
export function chunksPerStep(chunks: number): number {
  return chunks % 2 === 0 ? 2 : 1;
}

/** Entry point; the functions that it calls are those of streaming_softmax.wgsl.ts. */
export function streamingDirect(headDim: number, { rows, keys, most }: DirectSchedule): string {
  const chunks = Math.ceil(headDim / 4);
  const single = most !== undefined;
  const block = single ? Math.ceil(most / keys) * keys : Math.floor(MOST_BLOCK / keys) * keys;
  const R = counted(rows);
  const K = counted(keys);
  const unroll = chunksPerStep(chunks);
  const U = counted(unroll);
  const perRow = rows === 1 ? 'f32' : `vec${rows}f`;
  const part = (value: string, r: number): string => (rows === 1 ? value : `${value}[${r}]`);
  const gather = (of: (r: number) => string): string => `${perRow}(${R.map(of).join(', ')})`;
  const dots = (r: number, k: number): string =>
    fmas(
      cross(U, components, (u, c) => [`query${r}_${u}.${c}`, `key${k}_${u}.${c}`]),
      `s${r}_${k}`,
    );
  // By component: a software adapter keeps a scalar in a register through all its products, but not a vector.
  const weighted = (r: number, u: number, c: string): string =>
    fmas(
      K.map((k) => [part(`weight${k}`, r), `value${k}_${u}.${c}`]),
      `a${r}_${u}${c}`,
    );
  const summed = (r: number, u: number): string => `vec4f(${components.map((c) => `a${r}_${u}${c}`).join(', ')})`;
  const inverse = `let inverse = select(${perRow}(), 1.0 / sum, sum > ${perRow}());`;
  const keep = (r: number, u: number): string =>
    single
      ? `if (live && first + ${r}u <= last) { storeOut(o${r}, c + ${u}u, lane, ${summed(r, u)} * ${part('inverse', r)}); }`
      : `acc[(c + ${u}u) * ${rows}u + ${r}u] = ${summed(r, u)};`;
  return wgsl`
${quadsOfQueries(rows)}
#if ${single}
  let live = slot < params.batches * params.heads;
  ${R.map((r) => `let q${r} = queryBase(batch, head, i${r}); let o${r} = outBase(batch, head, i${r});`)}
#else
  var query: array<vec4f, ${rows * chunks}>;
  var acc: array<vec4f, ${rows * chunks}>;
  for (var r = 0u; r < ${rows}u; r++) {
    let base = queryBase(batch, head, min(first + r, last));
    for (var c = 0u; c < ${chunks}u; c++) {
      query[c * ${rows}u + r] = load_q(base, c, lane);
    }
  }
#endif
  var weights: array<${perRow}, ${block}>;  // logits, then their exponentials
  var highest = ${perRow}(lowest);
  var sum = ${perRow}();
  let keyStart = keyBase(batch, head);
  let keyPitch = pitch(params.keyStride);
  let valueStart = valueBase(batch, head);
  let valuePitch = pitch(params.valueStride);
  ${single ? 'let start = 0u; {' : `for (var start = 0u; start < params.keys; start += ${block}u) {`}
    let count = min(params.keys - start, ${block}u);
    var top = highest;
    for (var j = 0u; j < count; j += ${keys}u) {
      ${K.map((k) => `let k${k} = keyStart + min(start + j + ${k}u, params.keys - 1u) * keyPitch;`)}
      ${cross(R, K, (r, k) => `var s${r}_${k} = 0.0;`)}
      for (var c = 0u; c < ${chunks}u; c += ${unroll}u) {
        ${cross(
          R,
          U,
          (r, u) =>
            `let query${r}_${u} = ${single ? `load_q(q${r}, c + ${u}u, lane)` : `query[(c + ${u}u) * ${rows}u + ${r}u]`};`,
        )}
        ${cross(K, U, (k, u) => `let key${k}_${u} = load_k(k${k}, c + ${u}u, lane);`)}
        ${cross(R, K, (r, k) => `s${r}_${k} = ${dots(r, k)};`)}
      }
      ${K.map((k) => `weights[j + ${k}u] = ${gather((r) => `s${r}_${k}`)};`)}
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
    ${single ? inverse : ''}
    for (var c = 0u; c < ${chunks}u; c += ${unroll}u) {
      ${cross(R, U, (r, u) => {
        const kept = `acc[(c + ${u}u) * ${rows}u + ${r}u]`;
        if (single) return components.map((c) => `var a${r}_${u}${c} = 0.0;`).join(' ');
        return `let kept${r}_${u} = ${kept} * ${part('fade', r)}; ${components.map((c) => `var a${r}_${u}${c} = kept${r}_${u}.${c};`).join(' ')}`;
      })}
      for (var j = 0u; j < count; j += ${keys}u) {
        ${K.flatMap((k) => [
          `let weight${k} = weights[j + ${k}u];`,
          `let v${k} = valueStart + min(start + j + ${k}u, params.keys - 1u) * valuePitch;`,
          ...U.map((u) => `let value${k}_${u} = load_v(v${k}, c + ${u}u, lane);`),
        ])}
        ${cross(R, U, (r, u) => components.map((c) => `a${r}_${u}${c} = ${weighted(r, u, c)};`).join(' '))}
      }
      ${cross(R, U, keep)}
    }
  }
#if ${!single}
  if (slot < params.batches * params.heads) {
    ${inverse}
    for (var r = 0u; r < min(${rows}u, params.queries - min(first, params.queries)); r++) {
      let base = outBase(batch, head, first + r);
      for (var c = 0u; c < ${chunks}u; c++) {
        storeOut(base, c, lane, acc[c * ${rows}u + r] * ${rows === 1 ? 'inverse' : 'inverse[r]'});
      }
    }
  }
#endif
}
`;
}
