// The softmax over a few keys, all of them at once in registers, as WGSL text: attention over the frames of a short clip. For
// software adapters; streaming_direct.wgsl.ts takes any number of keys. Rows and scores are streaming_softmax.wgsl.ts's.
import { quadsOfQueries } from './streaming_direct.wgsl';
import { components, counted, lines, wgsl } from './wgsl';

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
  // A software adapter pays for every store to a variable inside a loop: sums take several products a statement.
  const unroll = [2, 1].find((size) => chunks % size === 0)!;
  const U = counted(unroll);
  const cross = <A, B>(a: readonly A[], b: readonly B[], of: (a: A, b: B) => string): string[] =>
    a.flatMap((x) => b.map((y) => of(x, y)));
  const dots = (r: number, k: number): string =>
    cross(U, components, (u, c) => `query${r}_${u}.${c}, key${k}_${u}.${c}`).reduce(
      (sum, factors) => `fma(${factors}, ${sum})`,
      `s${r}_${k}`,
    );
  // By component: a software adapter keeps a scalar in a register through all its products, but not a vector.
  const weighted = (r: number, u: number): string =>
    `vec4f(${components
      .map((c) =>
        K.slice(1).reduce((sum, k) => `fma(w${r}_${k}, value${k}_${u}.${c}, ${sum})`, `w${r}_0 * value0_${u}.${c}`),
      )
      .join(', ')})`;
  const all = (of: (k: number) => string, combine: (a: string, b: string) => string): string =>
    K.map(of).reduce(combine);
  return wgsl`
${quadsOfQueries(rows)}
  ${lines(
    2,
    R.map((r) => `let q${r} = queryBase(batch, head, i${r});`),
  )}
  let keyStart = keyBase(batch, head);
  let keyPitch = pitch(params.keyStride);
  ${lines(
    2,
    K.map((k) => `let k${k} = keyStart + min(${k}u, params.keys - 1u) * keyPitch;`),
  )}
  ${lines(
    2,
    cross(R, K, (r, k) => `var s${r}_${k} = 0.0;`),
  )}
  for (var c = 0u; c < ${chunks}u; c += ${unroll}u) {
    ${lines(
      4,
      cross(R, U, (r, u) => `let query${r}_${u} = load_q(q${r}, c + ${u}u, lane);`),
    )}
    ${lines(
      4,
      cross(K, U, (k, u) => `let key${k}_${u} = load_k(k${k}, c + ${u}u, lane);`),
    )}
    ${lines(
      4,
      cross(R, K, (r, k) => `s${r}_${k} = ${dots(r, k)};`),
    )}
  }
  ${lines(
    2,
    cross(R, K, (r, k) => `let t${r}_${k} = score(s${r}_${k}, batch, head, i${r}, ${k}u);`),
  )}
  ${lines(
    2,
    R.flatMap((r) => [
      `let top${r} = ${all(
        (k) => `t${r}_${k}`,
        (a, b) => `max(${a}, ${b})`,
      )};`,
      // Of a row without keys every score is absent: its exponentials must be zeros, not ones.
      ...K.map((k) => `let e${r}_${k} = exp2(t${r}_${k} - max(top${r}, lowest));`),
      `let sum${r} = ${all(
        (k) => `e${r}_${k}`,
        (a, b) => `${a} + ${b}`,
      )};`,
      `let inverse${r} = select(0.0, 1.0 / sum${r}, sum${r} > 0.0);`,
      ...K.map((k) => `let w${r}_${k} = e${r}_${k} * inverse${r};`),
      `let o${r} = outBase(batch, head, i${r});`,
    ]),
  )}
  let live = slot < params.batches * params.heads;
  let valueStart = valueBase(batch, head);
  let valuePitch = pitch(params.valueStride);
  ${lines(
    2,
    K.map((k) => `let v${k} = valueStart + min(${k}u, params.keys - 1u) * valuePitch;`),
  )}
  for (var c = 0u; c < ${chunks}u; c += ${unroll}u) {
    ${lines(
      4,
      cross(K, U, (k, u) => `let value${k}_${u} = load_v(v${k}, c + ${u}u, lane);`),
    )}
    ${lines(
      4,
      cross(
        R,
        U,
        (r, u) => `if (live && first + ${r}u <= last) { storeOut(o${r}, c + ${u}u, lane, ${weighted(r, u)}); }`,
      ),
    )}
  }
}
`;
}
