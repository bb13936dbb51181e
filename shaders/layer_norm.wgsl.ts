// Layer norm with scale-shift, as WGSL. Not the choice of lanes and rows: src/ops/norm.ts.
import { componentSum, vector, type Width } from './norm.wgsl';
import { enables, linearMain, type Shader, shaderInterface, wgsl } from './wgsl';

export interface LayerNormOptions {
  readonly width: Width;
  readonly weight: boolean;
  readonly bias: boolean;
  readonly scaleShift: boolean;
  /** Threads that share a row. 1: no barrier. */
  readonly lanes: number;
  /** Rows of a workgroup. */
  readonly rows: number;
  /** The lanes sum by shuffles, without barriers (needs `subgroups` of at least `lanes` consecutive threads). */
  readonly subgroups: boolean;
}

/**
 * Arguments: x [rows, C], weight [C] and bias [C] if there, scaleShift [.., ≥ 2C] if there, out. Strides and `channels` count
 * vectors of `width`.
 */
export function layerNorm({ width, weight, bias, scaleShift, lanes, rows, subgroups }: LayerNormOptions): Shader {
  const params = [
    ['rows', 'u32'],
    ['channels', 'u32'],
    ['rowsPerShift', 'u32'],
    ['shiftStride', 'u32'],
    ['shiftOffset', 'u32'],
    ['eps', 'f32'],
  ] as const;
  const names = ['x', ...(weight ? ['weight'] : []), ...(bias ? ['bias'] : []), ...(scaleShift ? ['scaleShift'] : [])];
  const type = vector(width);
  const { declarations, ...shader } = shaderInterface(
    [...names.map((name) => [name, 'read', type] as const), ['out', 'write', type]],
    params,
  );
  return {
    ...shader,
    label: `layer norm x${width}${weight ? ' weight' : ''}${bias ? ' bias' : ''}${scaleShift ? ' scale-shift' : ''} ${rows}x${lanes}${subgroups ? ' subgroups' : ''}`,
    code: wgsl`
${enables({ subgroups })}
${declarations}
${rowSum({ lanes, rows, subgroups })}
${linearMain(lanes * rows)}
  let lane = local % ${lanes}u;
  // Rows past the end repeat the last one: barriers stay uniform, and the same values go to the same places.
  let row = min(workgroupIndex * ${rows}u + local / ${lanes}u, params.rows - 1u);
  let base = row * params.channels;
  let count = f32(params.channels) * ${width}.0;
  var part = ${type}();
  for (var c = lane; c < params.channels; c += ${lanes}u) {
    part += x[base + c];
  }
  let mean = rowSum(${componentSum(width, 'part')}, local) / count;
  part = ${type}();
  for (var c = lane; c < params.channels; c += ${lanes}u) {
    let d = x[base + c] - mean;
    part += d * d;
  }
  let deviation = inverseSqrt(rowSum(${componentSum(width, 'part')}, local) / count + params.eps);
#if ${scaleShift}
  let shift = row / params.rowsPerShift * params.shiftStride + params.shiftOffset;
#endif
  for (var c = lane; c < params.channels; c += ${lanes}u) {
    var y = (x[base + c] - mean) * deviation;
#if ${weight}
    y *= weight[c];
#endif
#if ${bias}
    y += bias[c];
#endif
#if ${scaleShift}
    y = y * (1.0 + scaleShift[shift + c]) + scaleShift[shift + params.channels + c];
#endif
    out[base + c] = y;
  }
}
`,
  };
}

/** `rowSum(value, local)`: the sum over the threads that share a row, for each of them. */
function rowSum({ lanes, rows, subgroups }: Pick<LayerNormOptions, 'lanes' | 'rows' | 'subgroups'>): string {
  if (lanes === 1) return 'fn rowSum(value: f32, local: u32) -> f32 { return value; }';
  if (subgroups) {
    const swaps = [1, 2, 4, 8, 16].filter((distance) => distance < lanes);
    return wgsl`fn rowSum(value: f32, local: u32) -> f32 {
  var sum = value;
  ${swaps.map((distance) => `sum += subgroupShuffleXor(sum, ${distance}u);`)}
  return sum;
}`;
  }
  return wgsl`
var<workgroup> parts: array<f32, ${lanes * rows}>;
fn rowSum(value: f32, local: u32) -> f32 {
  workgroupBarrier();  // until the sum before this one has been read
  parts[local] = value;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < ${lanes}u; i++) {
    sum += parts[local / ${lanes}u * ${lanes}u + i];
  }
  return sum;
}
`;
}
