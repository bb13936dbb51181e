// Linear layers, y = activation(x·W + b) + residual, as WGSL text. Not attention, not convolution.
import { type EpilogueOptions, epilogueLabel, finish, gemmInterface, weightAt } from './epilogue.wgsl';
import { type GemmTile, gemmMain, gemmTileLabel } from './gemm.wgsl';
import { type Shader, type ShaderParam, wgsl } from './wgsl';

export interface LinearDirectOptions extends EpilogueOptions {
  /** Rows of one thread. */
  readonly rows: number;
  /** Output channels of one thread, in vec4s. */
  readonly columns: number;
  /** Input channels of one step of the loop; Cin must be a multiple. */
  readonly unroll: number;
  /**
   * The four threads of a quad make the same rows for different output channels and share their inputs through quad swaps
   * (needs `subgroups`, quads of consecutive threads, `unroll` 4, and a multiple of four `groups`).
   */
  readonly shared: boolean;
}

export const linearDirectThreads = 64;

/** `groups`: how many threads share the output channels of a row. */
export const linearDirectParams = [
  ['rows', 'u32'],
  ['cin', 'u32'],
  ['cout', 'u32'],
  ['groups', 'u32'],
] as const satisfies readonly ShaderParam[];

/** Threads u and u ^ 0 .. 3 of a quad exchange a value. */
export const quadSwaps = ['', 'quadSwapX', 'quadSwapY', 'quadSwapDiagonal'] as const;

const each = <T>(count: number, text: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => text(i));

/**
 * Arguments: x f32 [M, Cin], weight f16 [Cin, Cout], bias f32 [Cout]?, residual f32 [M, Cout]?, out f32 [M, Cout].
 * Straight from storage: no workgroup memory, no barrier. One thread makes `rows` × 4·`columns` outputs.
 */
export function linearDirect(options: LinearDirectOptions): Shader {
  const { rows, columns, unroll, shared, aligned } = options;
  const { declarations, access } = gemmInterface(options, 'f32', linearDirectParams);
  const unit = aligned ? 4 : 1;
  const loads = each(rows, (r) =>
    each(unroll, (u) => {
      if (!shared) return `let x${u}_${r} = vec4f(x[p${r} + k + ${u}u]);`;
      if (u === 0) return `let q${r} = x[p${r} + k + lane]; let x0_${r} = vec4f(q${r});`;
      return `let x${u}_${r} = vec4f(${quadSwaps[u]}(q${r}));`;
    }).join('\n    '),
  );
  const weights = each(unroll, (u) =>
    each(columns, (c) => {
      const channel = shared ? `pitch${u}` : `${u}u * rowPitch`;
      return `let w${u}_${c} = weightAt(row + ${channel} + ${(4 * c) / unit}u);`;
    }).join('\n    '),
  );
  // One statement per sum: a software adapter pays for every masked store inside a loop.
  const products = each(rows, (r) =>
    each(columns, (c) => {
      let sum = `s${r}_${c}`;
      for (let u = 0; u < unroll; u++) sum = `fma(x${u}_${r}, w${u}_${c}, ${sum})`;
      return `s${r}_${c} = ${sum};`;
    }).join('\n    '),
  );
  return {
    label: `linear direct ${rows}x${4 * columns} by ${unroll}${shared ? ' shared' : ''} ${epilogueLabel(options)}`,
    access,
    params: linearDirectParams,
    code: wgsl`
#if ${shared}
enable subgroups;
diagnostic(off, subgroup_uniformity);
#endif
${declarations}
${weightAt(options)}
${finish(options)}
@compute @workgroup_size(${linearDirectThreads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = (workgroup.y * workgroups.x + workgroup.x) * ${linearDirectThreads}u + local;
  let groups = params.groups;
  let column = id % groups * ${4 * columns}u;
  let first = id / groups * ${rows}u;
  if (first >= params.rows) {
    return;
  }
  let last = params.rows - 1u;
  ${each(rows, (r) => `let p${r} = min(first + ${r}u, last) * params.cin;`).join('\n  ')}
  let rowPitch = params.cout / ${unit}u;
  var row = column / ${unit}u;
  ${each(rows, (r) => each(columns, (c) => `var s${r}_${c} = vec4f();`).join(' ')).join('\n  ')}
#if ${shared}
  let lane = local & 3u;
  ${each(4, (u) => `let pitch${u} = (lane ^ ${u}u) * rowPitch;`).join('\n  ')}
#endif
  for (var k = 0u; k < params.cin; k += ${unroll}u) {
    ${loads.join('\n    ')}
    ${weights.join('\n    ')}
    ${products.join('\n    ')}
    row += ${unroll}u * rowPitch;
  }
  var sums = array<vec4f, ${rows * columns}>(${each(rows, (r) => each(columns, (c) => `s${r}_${c}`)).join(', ')});
  let count = min(${rows}u, params.rows - first);
  for (var r = 0u; r < count; r++) {
    ${each(columns, (c) => `finish(sums[r * ${columns}u + ${c}u], first + r, column + ${4 * c}u);`).join('\n    ')}
  }
}
`,
  };
}

export interface LinearTiledOptions extends EpilogueOptions {
  readonly tile: GemmTile;
  /** The input channels come in whole vec4s. */
  readonly inputAligned: boolean;
}

export const linearTiledParams = [
  ['rows', 'u32'],
  ['cin', 'u32'],
  ['cout', 'u32'],
] as const satisfies readonly ShaderParam[];

/** The arguments of `linearDirect`, through workgroup memory: for GPUs and many rows. */
export function linearTiled(options: LinearTiledOptions): Shader {
  const { tile, inputAligned } = options;
  const { declarations, access } = gemmInterface(options, inputAligned ? 'vec4f' : 'f32', linearTiledParams);
  const prepare = (row: string, j: number): string => `let row${j} = ${row};`;
  const place = (j: number): string => `inside${j} = row${j} < params.rows; from${j} = row${j} * params.cin;`;
  return {
    label: `linear ${gemmTileLabel(tile)} ${epilogueLabel(options)}`,
    access,
    params: linearTiledParams,
    code: wgsl`
${declarations}
${gemmMain(options, { tile, inputAligned, taps: 1, state: '', prepare, place, nextTap: '' })}
`,
  };
}

export interface LinearSplitOptions extends EpilogueOptions {
  /** All rows there are: a handful. */
  readonly rows: number;
}

/** vec4s of output channels of one workgroup. */
export const linearSplitQuads = 8;
/** Threads that share the input channels of one vec4. */
const slices = 8;

/**
 * The arguments of `linearDirect` for very few rows (a time embedding), which leave a GPU idle unless the input
 * channels are split over threads too. Grid: x groups of 4·`linearSplitQuads` output channels.
 */
export function linearSplit(options: LinearSplitOptions): Shader {
  const { rows, aligned } = options;
  const { declarations, access } = gemmInterface(options, 'f32', linearTiledParams);
  const threads = linearSplitQuads * slices;
  const unit = aligned ? 4 : 1;
  return {
    label: `linear split ${rows} ${epilogueLabel(options)}`,
    access,
    params: linearTiledParams,
    code: wgsl`
${declarations}
${weightAt(options)}
${finish(options)}
var<workgroup> partial: array<vec4f, ${threads * rows}>;
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let slice = local / ${linearSplitQuads}u;
  let column = (workgroup.x * ${linearSplitQuads}u + local % ${linearSplitQuads}u) * 4u;
  let rowPitch = params.cout / ${unit}u;
  ${each(rows, (r) => `var s${r} = vec4f();`).join(' ')}
  for (var k = slice; k < params.cin; k += ${slices}u) {
    let w = weightAt(k * rowPitch + column / ${unit}u);
    ${each(rows, (r) => `s${r} = fma(vec4f(x[${r}u * params.cin + k]), w, s${r});`).join('\n    ')}
  }
  ${each(rows, (r) => `partial[${r * threads}u + local] = s${r};`).join('\n  ')}
  workgroupBarrier();
  if (slice > 0u) {
    return;
  }
  for (var i = 1u; i < ${slices}u; i++) {
    ${each(rows, (r) => `s${r} += partial[${r * threads}u + i * ${linearSplitQuads}u + local];`).join('\n    ')}
  }
  if (column < params.cout) {
    ${each(rows, (r) => `finish(s${r}, ${r}u, column);`).join('\n    ')}
  }
}
`,
  };
}
