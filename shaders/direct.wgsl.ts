// What the direct kernels of conv3d and matmul share, as WGSL text: one thread makes several neighbouring outputs in
// registers, straight from storage, without workgroup memory or barriers. Not a kernel.
import { type EpilogueOptions, finish, gemmInterface, weightAt } from './epilogue.wgsl';
import { components, counted, cross, fmas, type Shader, type ShaderParam, wgsl } from './wgsl';

/** What one thread makes of each output row. */
export interface DirectTile {
  /** Output channels, in vec4s. */
  readonly columns: number;
  /** Input channels of one step of the inner loop; Cin must be a multiple. More steps save passes over the sums. */
  readonly unroll: number;
  /**
   * The four threads of a quad make the same rows for different output channels and share their inputs through quad swaps
   * (needs `subgroups`, quads of consecutive threads, `unroll` 4 or a multiple of it, and a multiple of four `groups`).
   */
  readonly shared: boolean;
}

export interface DirectOptions extends DirectTile, EpilogueOptions {}

/** Everything before the entry point. */
export function directInterface(
  options: DirectOptions,
  params: readonly ShaderParam[],
): Pick<Shader, 'access' | 'params'> & { readonly declarations: string } {
  const { declarations, ...shader } = gemmInterface(options, 'f32', params, options.shared);
  return { ...shader, declarations: `${declarations}${weightAt(options)}${finish(options)}` };
}

/**
 * The sums of one thread, and how far apart its weights lie: `rowPitch` from one input channel to the next. Sums are
 * scalars, `s{output}_{column}{component}`: a software adapter keeps one in a register through all its products, but
 * writes a vector back after each.
 */
export function directSums({ columns, unroll, shared, aligned }: DirectOptions, outputs: number): string[] {
  const sums = counted(outputs).map((s) =>
    counted(columns)
      .flatMap((c) => components.map((component) => `var s${s}_${c}${component} = 0.0;`))
      .join(' '),
  );
  const pitches = counted(unroll).map((u) => `let pitch${u} = ((lane ^ ${u % 4}u) + ${u - (u % 4)}u) * rowPitch;`);
  return [
    `let rowPitch = params.cout / ${aligned ? 4 : 1}u;`,
    ...(shared ? ['let lane = local & 3u;', ...pitches] : []),
    ...sums,
  ];
}

/** Threads u and u ^ 0 .. 3 of a quad exchange a value. */
const quadSwaps = ['', 'quadSwapX', 'quadSwapY', 'quadSwapDiagonal'];

/**
 * One step of the inner loop: `unroll` channels of every input, from weight row `row` on, into the sums.
 * Output s of a line reads inputs s·stride .. s·stride + taps - 1 of that line, and the taps' weights are `tapPitch` apart.
 * @param input an expression for channel `channel` of input i of this step, counted through all lines; `undefined` for one
 * that is zero, whose products are left out
 */
export function directStep(
  { columns, unroll, shared, aligned }: DirectOptions,
  { outputs, taps, stride, lines }: DirectLines,
  input: (i: number, channel: string) => string | undefined,
): string[] {
  const U = counted(unroll);
  const C = counted(columns);
  const T = counted(taps);
  const perLine = (outputs - 1) * stride + taps;
  // x{u}_{i}: input i at the step's channel u, which in a quad is another one for each thread.
  const known = counted(lines * perLine).filter((i) => input(i, '0u') !== undefined);
  const inputs = known.flatMap((i) => {
    if (!shared) return U.map((u) => `let x${u}_${i} = ${input(i, `${u}u`)};`);
    return U.map((u) => {
      const own = u - (u % 4);
      return `let x${u}_${i} = ${u === own ? input(i, `lane + ${u}u`) : `${quadSwaps[u % 4]}(x${own}_${i})`};`;
    });
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
  const products = counted(lines * outputs).flatMap((s) => {
    const first = Math.floor(s / outputs) * perLine + (s % outputs) * stride;
    return C.flatMap((c) =>
      components.map((component) => {
        const used = T.filter((tap) => known.includes(first + tap));
        const pairs = cross(U, used, (u, tap) => [`x${u}_${first + tap}`, `w${u}_${tap}_${c}.${component}`] as const);
        const sum = `s${s}_${c}${component}`;
        return `${sum} = ${fmas(pairs, sum)};`;
      }),
    );
  });
  return [...inputs, ...weights, ...products, `row += ${unroll}u * rowPitch;`];
}

/** The outputs of one thread: `lines` times `outputs` neighbours along a line, which share their inputs. */
export interface DirectLines {
  readonly lines: number;
  readonly outputs: number;
  readonly taps: number;
  readonly stride: number;
}

/**
 * Stores the sums of outputs 0 .. `count` - 1 of lines 0 .. `lineCount` - 1, from channel `column` on. All are expressions;
 * `row` is the output row where line `l` begins, and its outputs are `rowStep` apart.
 */
export function directStore(
  { columns }: DirectTile,
  { lines, outputs }: Pick<DirectLines, 'lines' | 'outputs'>,
  store: { lineCount: string; count: string; row: string; rowStep: string },
): string {
  const C = counted(columns);
  const vectors = counted(lines * outputs).flatMap((s) =>
    C.map((c) => `vec4f(${components.map((component) => `s${s}_${c}${component}`).join(', ')})`),
  );
  return wgsl`var sums = array<vec4f, ${vectors.length}>(${vectors.join(', ')});
  let count = ${store.count};
  let lineCount = ${store.lineCount};
  for (var l = 0u; l < lineCount; l++) {
    let row = ${store.row};
    for (var s = 0u; s < count; s++) {
      let sum = (l * ${outputs}u + s) * ${columns}u;
      ${C.map((c) => `finish(sums[sum + ${c}u], row + s * ${store.rowStep}, column + ${4 * c}u);`)}
    }
  }`;
}

/** The part of a label that says which tile it is. */
export function directLabel({ columns, unroll, shared }: DirectTile, outputs: number): string {
  return `${outputs}x${4 * columns} by ${unroll}${shared ? ' shared' : ''}`;
}
