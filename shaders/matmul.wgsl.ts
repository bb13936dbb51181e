// Linear layers, y = activation(x·W + b) + residual, as WGSL text. Not attention, not convolution.
import { type EpilogueOptions, epilogueLabel, finish, gemmInterface, weightAt } from './epilogue.wgsl';
import { type Shader, type ShaderParam, wgsl } from './wgsl';

export interface LinearDirectOptions extends EpilogueOptions {
  /** Rows of one thread. */
  readonly rows: number;
  /** Output channels of one thread, in vec4s. */
  readonly columns: number;
}

export const linearDirectThreads = 64;

export const linearParams = [
  ['rows', 'u32'],
  ['cin', 'u32'],
  ['cout', 'u32'],
] as const satisfies readonly ShaderParam[];

const each = <T>(count: number, text: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => text(i));

/**
 * Arguments: x f32 [M, Cin], weight f16 [Cin, Cout], bias f32 [Cout]?, residual f32 [M, Cout]?, out f32 [M, Cout].
 * Straight from storage: no workgroup memory, no barrier. One thread makes `rows` × 4·`columns` outputs.
 */
export function linearDirect(options: LinearDirectOptions): Shader {
  const { rows, columns, aligned } = options;
  const { declarations, access } = gemmInterface(options, 'f32', linearParams);
  const unit = aligned ? 4 : 1;
  return {
    label: `linear direct ${rows}x${4 * columns} ${epilogueLabel(options)}`,
    access,
    params: linearParams,
    code: wgsl`
${declarations}
${weightAt(options)}
${finish(options)}
@compute @workgroup_size(${linearDirectThreads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = (workgroup.y * workgroups.x + workgroup.x) * ${linearDirectThreads}u + local;
  let groups = (params.cout + ${4 * columns - 1}u) / ${4 * columns}u;
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
  for (var k = 0u; k < params.cin; k++) {
    ${each(rows, (r) => `let x${r} = vec4f(x[p${r} + k]);`).join('\n    ')}
    ${each(columns, (c) => [`let w${c} = weightAt(row + ${(4 * c) / unit}u);`, ...each(rows, (r) => `s${r}_${c} = fma(x${r}, w${c}, s${r}_${c});`)].join('\n    ')).join('\n    ')}
    row += rowPitch;
  }
  ${each(rows, (r) => `if (first + ${r}u < params.rows) { ${each(columns, (c) => `finish(s${r}_${c}, first + ${r}u, column + ${4 * c}u);`).join(' ')} }`).join('\n  ')}
}
`,
  };
}
