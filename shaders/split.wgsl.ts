// The second half of a product whose depth is split over workgroups (split K): sums their partial results, then the
// epilogue. The first half is the tiled product (gemm.wgsl.ts).
import { type EpilogueOptions, epilogueLabel, finish } from './epilogue.wgsl';
import { linearMain, type Shader, type StorageBinding, shaderInterface, wgsl, workgroupSize } from './wgsl';

export interface SumSlicesOptions extends EpilogueOptions {
  readonly slices: number;
}

/**
 * Arguments: partial f32 [slices, M, Cout], bias f32 [Cout]?, residual f32 [M, Cout]?, out f32 [M, Cout].
 * One thread makes four channels of one row.
 */
export function sumSlices(options: SumSlicesOptions): Shader {
  const { slices, bias, residual, aligned } = options;
  const element = aligned ? 'vec4f' : 'f32';
  const bindings: StorageBinding[] = [['partial', 'read', element]];
  if (bias) bindings.push(['bias', 'read', element]);
  if (residual) bindings.push(['residual', 'read', element]);
  bindings.push(['out', 'write', element]);
  const params = [
    ['rows', 'u32'],
    ['cout', 'u32'],
  ] as const;
  const { declarations, ...shader } = shaderInterface(bindings, params);
  return {
    ...shader,
    label: `sum of ${slices} slices ${epilogueLabel(options)}`,
    code: wgsl`
${declarations}
${finish(options)}
${linearMain(workgroupSize)}
  let groups = (params.cout + 3u) / 4u;
  let row = thread / groups;
  let column = thread % groups * 4u;
  if (row >= params.rows) {
    return;
  }
  var sum = vec4f();
  for (var slice = 0u; slice < ${slices}u; slice++) {
    let at = (slice * params.rows + row) * params.cout + column;
#if ${aligned}
    sum += partial[at >> 2u];
#else
    sum += vec4f(partial[at], partial[at + 1u], partial[at + 2u], partial[at + 3u]);
#endif
  }
  finish(sum, row, column);
}
`,
  };
}
