// What the direct kernels of conv3d and matmul share, as WGSL text: one thread makes several neighbouring outputs in
// registers, straight from storage, without workgroup memory or barriers. Not a kernel.
import { type EpilogueOptions, finish, gemmInterface, weightAt } from './epilogue.wgsl';
import { counted, type Shader, type ShaderParam } from './wgsl';

/** What one thread makes of each output row. */
export interface DirectTile {
  /** Output channels, in vec4s. */
  readonly columns: number;
  /** Input channels of one step of the inner loop; Cin must be a multiple. More steps save passes over the sums. */
  readonly unroll: number;
  /**
   * The four threads of a quad make the same rows for different output channels and share their inputs through quad swaps
   * (needs `subgroups`, quads of consecutive threads, `unroll` 4, and a multiple of four `groups`).
   */
  readonly shared: boolean;
}

export interface DirectOptions extends DirectTile, EpilogueOptions {}

export const directThreads = 64;

/** Everything before the entry point. */
export function directInterface(
  options: DirectOptions,
  params: readonly ShaderParam[],
): Pick<Shader, 'access' | 'params'> & { readonly declarations: string } {
  const { declarations, ...shader } = gemmInterface(options, 'f32', params, options.shared);
  return { ...shader, declarations: `${declarations}${weightAt(options)}${finish(options)}` };
}

/** The sums of one thread, and how far apart its weights lie: `rowPitch` from one input channel to the next. */
export function directSums({ columns, shared, aligned }: DirectOptions, outputs: number): string {
  const sums = counted(outputs).map((s) =>
    counted(columns)
      .map((c) => `var s${s}_${c} = vec4f();`)
      .join(' '),
  );
  const pitches = counted(4).map((u) => `let pitch${u} = (lane ^ ${u}u) * rowPitch;`);
  return [
    `let rowPitch = params.cout / ${aligned ? 4 : 1}u;`,
    ...(shared ? ['let lane = local & 3u;', ...pitches] : []),
    ...sums,
  ].join('\n  ');
}

/** Threads u and u ^ 0 .. 3 of a quad exchange a value. */
const quadSwaps = ['', 'quadSwapX', 'quadSwapY', 'quadSwapDiagonal'];

/**
 * One step of the inner loop: `unroll` channels of every input, from weight row `row` on, into the sums.
 * Output s reads inputs s·stride .. s·stride + taps - 1, and the taps' weights are `tapPitch` apart.
 * @param input an expression for channel `channel` of input i of this step
 */
export function directStep(
  { columns, unroll, shared, aligned }: DirectOptions,
  { outputs, taps, stride }: { readonly outputs: number; readonly taps: number; readonly stride: number },
  input: (i: number, channel: string) => string,
): string {
  const U = counted(unroll);
  const C = counted(columns);
  const T = counted(taps);
  // x{u}_{i}: input i at the step's channel u, which in a quad is another one for each thread.
  const inputs = counted((outputs - 1) * stride + taps).flatMap((i) => {
    if (!shared) return U.map((u) => `let x${u}_${i} = vec4f(${input(i, `${u}u`)});`);
    const swapped = U.map((u) => `let x${u}_${i} = vec4f(${quadSwaps[u]}(q${i}));`);
    return [`let q${i} = ${input(i, 'lane')};`, ...swapped];
  });
  const weights = U.flatMap((u) =>
    T.flatMap((tap) =>
      C.map((c) => {
        const channel = shared ? `pitch${u}` : `${u}u * rowPitch`;
        const place = `row + ${channel} + ${(4 * c) / (aligned ? 4 : 1)}u${tap > 0 ? ` + ${tap}u * tapPitch` : ''}`;
        return `let w${u}_${tap}_${c} = weightAt(${place});`;
      }),
    ),
  );
  // One statement per sum: a software adapter pays for every masked store inside a loop.
  const products = counted(outputs).flatMap((s) =>
    C.map((c) => {
      const terms = U.flatMap((u) => T.map((tap) => [`x${u}_${s * stride + tap}`, `w${u}_${tap}_${c}`]));
      return `s${s}_${c} = ${terms.reduce((sum, [x, w]) => `fma(${x}, ${w}, ${sum})`, `s${s}_${c}`)};`;
    }),
  );
  return [...inputs, ...weights, ...products, `row += ${unroll}u * rowPitch;`].join('\n        ');
}

/** Stores the sums of outputs 0 .. `count` - 1 at the rows `row + s * rowStep`, from channel `column` on. All are expressions. */
export function directStore(
  { columns }: DirectTile,
  outputs: number,
  store: { count: string; row: string; rowStep: string },
): string {
  const C = counted(columns);
  return `var sums = array<vec4f, ${outputs * columns}>(${counted(outputs)
    .flatMap((s) => C.map((c) => `s${s}_${c}`))
    .join(', ')});
  let count = ${store.count};
  for (var s = 0u; s < count; s++) {
    ${C.map((c) => `finish(sums[s * ${columns}u + ${c}u], ${store.row} + s * ${store.rowStep}, column + ${4 * c}u);`).join('\n    ')}
  }`;
}

/** The part of a label that says which tile it is. */
export function directLabel({ columns, unroll, shared }: DirectTile, outputs: number): string {
  return `${outputs}x${4 * columns} by ${unroll}${shared ? ' shared' : ''}`;
}
