// Group norm in one dispatch, with scale-shift and SiLU, as WGSL: one workgroup per group, for groups that are small or many.
// Not the three-dispatch one: group_norm_wide.wgsl.ts. The choice is src/ops/norm.ts.
import { siluFunction } from './activation.wgsl';
import { componentSum, vector, type Width, workgroupSum } from './norm.wgsl';
import { linearMain, type Shader, shaderInterface, wgsl } from './wgsl';

export interface GroupNormOptions {
  readonly width: Width;
  /** Vectors of `width` in a group: a literal, so that no division is slow. */
  readonly groupVectors: number;
  readonly silu: boolean;
  readonly scaleShift: boolean;
}

const GROUP_THREADS = 256;

/**
 * Group norm in one dispatch, one workgroup per span and group, for groups that are small or many.
 * Arguments: x [spans, rows, C], weight, bias, scaleShift [.., ≥ 2C] if there is one, out. Strides and `channels` count vectors.
 */
export function groupNorm({ width, groupVectors, silu, scaleShift }: GroupNormOptions): Shader {
  const params = [
    ['spans', 'u32'],
    ['groups', 'u32'],
    ['channels', 'u32'],
    ['rows', 'u32'],
    ['rowsPerShift', 'u32'],
    ['shiftStride', 'u32'],
    ['shiftOffset', 'u32'],
    ['eps', 'f32'],
  ] as const;
  const names = ['x', 'weight', 'bias', ...(scaleShift ? ['scaleShift'] : [])];
  const type = vector(width);
  const { declarations, ...shader } = shaderInterface(
    [...names.map((name) => [name, 'read', type] as const), ['out', 'write', type]],
    params,
  );
  return {
    ...shader,
    label: `group norm ${groupVectors}x${width}${silu ? ' silu' : ''}${scaleShift ? ' scale-shift' : ''}`,
    code: wgsl`
${declarations}
${siluFunction(vector(width))}
${workgroupSum(GROUP_THREADS)}
${linearMain(GROUP_THREADS)}
  let slot = workgroupIndex;
  if (slot >= params.spans * params.groups) {
    return;
  }
  let span = slot / params.groups;
  let group = slot % params.groups;
  let base = span * params.rows * params.channels + group * ${groupVectors}u;
  let size = params.rows * ${groupVectors}u;
  let count = f32(size) * ${width}.0;
  var sum = ${type}();
  for (var i = local; i < size; i += ${GROUP_THREADS}u) {
    sum += x[base + i / ${groupVectors}u * params.channels + i % ${groupVectors}u];
  }
  let mean = total(${componentSum(width, 'sum')}, local) / count;
  var squares = ${type}();
  for (var i = local; i < size; i += ${GROUP_THREADS}u) {
    let d = x[base + i / ${groupVectors}u * params.channels + i % ${groupVectors}u] - mean;
    squares += d * d;
  }
  let deviation = inverseSqrt(total(${componentSum(width, 'squares')}, local) / count + params.eps);
  for (var i = local; i < size; i += ${GROUP_THREADS}u) {
    let row = i / ${groupVectors}u;
    let c = group * ${groupVectors}u + i % ${groupVectors}u;
    let at = base + row * params.channels + i % ${groupVectors}u;
    var y = (x[at] - mean) * deviation * weight[c] + bias[c];
#if ${scaleShift}
    let shift = (span * params.rows + row) / params.rowsPerShift * params.shiftStride + params.shiftOffset + c;
    y = y * (1.0 + scaleShift[shift]) + scaleShift[shift + params.channels];
#endif
#if ${silu}
    y = silu(y);
#endif
    out[at] = y;
  }
}
`,
  };
}
