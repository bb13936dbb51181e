// Linear layers, y = activation(x·W + b) + residual, as WGSL text. Not attention, not convolution.
import { type DirectOptions, directInterface, directLabel, directStep, directStore, directSums } from './direct.wgsl';
import { type EpilogueOptions, epilogueLabel, finish, gemmInterface, weightAt } from './epilogue.wgsl';
import { type GemmTile, gemmMain, gemmTileLabel } from './gemm.wgsl';
import { counted, linearMain, type Shader, type ShaderParam, wgsl, workgroupSize } from './wgsl';

export interface LinearDirectOptions extends DirectOptions {
  /** Rows of one thread. */
  readonly rows: number;
}

/** `groups`: how many threads share the output channels of a row. */
const linearDirectParams: readonly ShaderParam[] = [
  ['rows', 'u32'],
  ['cin', 'u32'],
  ['cout', 'u32'],
  ['groups', 'u32'],
];

/**
 * Arguments: x f32 [M, Cin], weight f16 [Cin, Cout], bias f32 [Cout]?, residual f32 [M, Cout]?, out f32 [M, Cout].
 * One thread makes `rows` × 4·`columns` outputs. For software adapters.
 */
export function linearDirect(options: LinearDirectOptions): Shader {
  const { rows, columns, unroll, aligned } = options;
  const { declarations, ...shader } = directInterface(options, linearDirectParams);
  const shape = { lines: 1, outputs: rows, taps: 1, stride: 1 };
  return {
    ...shader,
    label: `linear direct ${directLabel(options, rows)} ${epilogueLabel(options)}`,
    code: wgsl`
${declarations}
${linearMain(workgroupSize)}
  let groups = params.groups;
  let column = thread % groups * ${4 * columns}u;
  let first = thread / groups * ${rows}u;
  if (first >= params.rows) {
    return;
  }
  let last = params.rows - 1u;
  ${counted(rows).map((r) => `let p${r} = min(first + ${r}u, last) * params.cin;`)}
  ${directSums(options, rows)}
  var row = column / ${aligned ? 4 : 1}u; // of weights
  for (var k = 0u; k < params.cin; k += ${unroll}u) {
        ${directStep(options, shape, (r, channel) => `x[p${r} + k + ${channel}]`)}
  }
  ${directStore(options, shape, { lineCount: '1u', count: `min(${rows}u, params.rows - first)`, row: 'first', rowStep: '1u' })}
}
`,
  };
}

export interface LinearTiledOptions extends EpilogueOptions {
  readonly tile: GemmTile;
  /** See `GemmSource`. */
  readonly slices: number;
  /** The input channels come in whole vec4s. */
  readonly inputAligned: boolean;
}

const linearTiledParams: readonly ShaderParam[] = [
  ['rows', 'u32'],
  ['cin', 'u32'],
  ['cout', 'u32'],
];

/** The arguments of `linearDirect`, through workgroup memory: for GPUs and many rows. */
export function linearTiled(options: LinearTiledOptions): Shader {
  const { tile, slices, inputAligned } = options;
  const { declarations, ...shader } = gemmInterface(options, inputAligned ? 'vec4f' : 'f32', linearTiledParams);
  const prepare = (row: string, j: number): string => `let row${j} = ${row};`;
  const place = (j: number): string => `inside${j} = row${j} < params.rows; from${j} = row${j} * params.cin;`;
  return {
    ...shader,
    label: `linear ${gemmTileLabel(tile, slices)} ${epilogueLabel(options)}`,
    code: wgsl`
${declarations}
${gemmMain(options, { tile, slices, inputAligned, taps: 1, state: '', prepare, place, nextTap: '' })}
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
  const { declarations, ...shader } = gemmInterface(options, 'f32', linearTiledParams);
  const threads = linearSplitQuads * slices;
  const R = counted(rows);
  const unit = aligned ? 4 : 1;
  return {
    ...shader,
    label: `linear split ${rows} ${epilogueLabel(options)}`,
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
  ${R.map((r) => `var s${r} = vec4f();`)}
  for (var k = slice; k < params.cin; k += ${slices}u) {
    let w = weightAt(k * rowPitch + column / ${unit}u);
    ${R.map((r) => `s${r} = fma(vec4f(x[${r}u * params.cin + k]), w, s${r});`)}
  }
  ${R.map((r) => `partial[${r * threads}u + local] = s${r};`)}
  workgroupBarrier();
  if (slice > 0u) {
    return;
  }
  for (var i = 1u; i < ${slices}u; i++) {
    ${R.map((r) => `s${r} += partial[${r * threads}u + i * ${linearSplitQuads}u + local];`)}
  }
  if (column < params.cout) {
    ${R.map((r) => `finish(s${r}, ${r}u, column);`)}
  }
}
`,
  };
}
