// The softmax over a few keys, all of them at once in registers, as WGSL text: attention over the frames of a short clip. For
// software adapters; streaming_direct.wgsl.ts takes any number of keys. Rows and scores are streaming_softmax.wgsl.ts's.
import { chunksPerStep, quadsOfQueries } from './streaming_direct.wgsl';
import { components, counted, cross, fmas, wgsl } from './wgsl';

/**
 * One thread makes `rows` queries; four neighbours share a batch and a head. No loop over keys, hence no array of their weights:
 * a software renderer addresses private arrays lane by lane.
 */
export interface WholeSchedule {
  readonly kind: 'whole';
  readonly rows: number;
  /** As many as there are, or more. */
  readonly keys: number;
  /** See `DirectSchedule`. */
  readonly quads?: boolean;
}

/** Entry point; the functions that it calls are those of streaming_softmax.wgsl.ts. */
export function streamingWhole(headDim: number, { rows, keys }: WholeSchedule): string {
  const chunks = Math.ceil(headDim / 4);
  const R = counted(rows);
  const K = counted(keys);
  const unroll = chunksPerStep(chunks);
  const U = counted(unroll);
  const dots = (r: number, k: number): string =>
    fmas(
      cross(U, components, (u, c) => [`query${r}_${u}.${c}`, `key${k}_${u}.${c}`]),
      `s${r}_${k}`,
    );
  // By component: a software adapter keeps a scalar in a register through all its products, but not a vector.
  const weighted = (r: number, u: number): string =>
    `vec4f(${components
      .map((c) =>
        fmas(
          K.slice(1).map((k) => [`w${r}_${k}`, `value${k}_${u}.${c}`]),
          `w${r}_0 * value0_${u}.${c}`,
        ),
      )
      .join(', ')})`;
  return wgsl`
${quadsOfQueries(rows)}
  ${R.map((r) => `let q${r} = queryBase(batch, head, i${r});`)}
  let keyStart = keyBase(batch, head);
  let keyPitch = pitch(params.keyStride);
  ${K.map((k) => `let k${k} = keyStart + min(${k}u, params.keys - 1u) * keyPitch;`)}
  ${cross(R, K, (r, k) => `var s${r}_${k} = 0.0;`)}
  for (var c = 0u; c < ${chunks}u; c += ${unroll}u) {
    ${cross(R, U, (r, u) => `let query${r}_${u} = load_q(q${r}, c + ${u}u, lane);`)}
    ${cross(K, U, (k, u) => `let key${k}_${u} = load_k(k${k}, c + ${u}u, lane);`)}
    ${cross(R, K, (r, k) => `s${r}_${k} = ${dots(r, k)};`)}
  }
  ${cross(R, K, (r, k) => `let t${r}_${k} = score(s${r}_${k}, batch, head, i${r}, ${k}u);`)}
  ${R.flatMap((r) => [
    `let top${r} = ${K.map((k) => `t${r}_${k}`).reduce((a, b) => `max(${a}, ${b})`)};`,
    // Of a row without keys every score is absent: its exponentials must be zeros, not ones.
    ...K.map((k) => `let e${r}_${k} = exp2(t${r}_${k} - max(top${r}, lowest));`),
    `let sum${r} = ${K.map((k) => `e${r}_${k}`).join(' + ')};`,
    `let inverse${r} = select(0.0, 1.0 / sum${r}, sum${r} > 0.0);`,
    ...K.map((k) => `let w${r}_${k} = e${r}_${k} * inverse${r};`),
    `let o${r} = outBase(batch, head, i${r});`,
  ])}
  let live = slot < params.batches * params.heads;
  let valueStart = valueBase(batch, head);
  let valuePitch = pitch(params.valueStride);
  ${K.map((k) => `let v${k} = valueStart + min(${k}u, params.keys - 1u) * valuePitch;`)}
  for (var c = 0u; c < ${chunks}u; c += ${unroll}u) {
    ${cross(K, U, (k, u) => `let value${k}_${u} = load_v(v${k}, c + ${u}u, lane);`)}
    ${cross(
      R,
      U,
      (r, u) => `if (live && first + ${r}u <= last) { storeOut(o${r}, c + ${u}u, lane, ${weighted(r, u)}); }`,
    )}
  }
}
`;
}
