// Group norm in three dispatches, each as wide as the tensor, as WGSL: for few large groups and for software adapters.
// Not the one-dispatch kernel: group_norm.wgsl.ts.
import { siluFunction } from './activation.wgsl';
import { vector, type Width, workgroupSum } from './norm.wgsl';
import { linearMain, type Shader, type ShaderParam, shaderInterface, wgsl, workgroupSize } from './wgsl';

/** A thread of stages 1 and 3 has one vector of `channels` of a chunk of rows; `channels` counts vectors. */
const chunkParams: readonly ShaderParam[] = [
  ['threads', 'u32'],
  ['rows', 'u32'],
  ['channels', 'u32'],
  ['chunks', 'u32'],
  ['chunkRows', 'u32'],
];

/** Threads past the end repeat the last one's work: none idles beside working ones, and equal values go to equal places. */
const chunkOfThread = `${linearMain(workgroupSize)}
  let slot = min(thread, params.threads - 1u);
  let c = slot % params.channels;
  let chunk = slot / params.channels % params.chunks;
  let spanIndex = slot / params.channels / params.chunks;
  let first = chunk * params.chunkRows;
  let count = min(params.chunkRows, params.rows - first);
  var at = (spanIndex * params.rows + first) * params.channels + c;`;

/**
 * Stage 1 of the wide group norm. Arguments: x [spans, rows, C], partials [spans, chunks, 2, C]: mean of a chunk of rows and
 * sum of squares about it. One thread per span, chunk and vector of channels: no barrier, and as wide as the tensor.
 */
export function groupNormPartials({ width }: { readonly width: Width }): Shader {
  const type = vector(width);
  const { declarations, ...shader } = shaderInterface(
    [
      ['x', 'read', type],
      ['partials', 'write', type],
    ],
    chunkParams,
  );
  return {
    ...shader,
    label: `group norm partials x${width}`,
    code: wgsl`
${declarations}
${chunkOfThread}
  // Sums about the first value: a large mean does not cancel the digits of a small variance.
  let pivot = x[at];
  var sum = ${type}();
  var squares = ${type}();
  for (var r = 1u; r < count; r++) {
    at += params.channels;
    let d = x[at] - pivot;
    sum += d;
    squares += d * d;
  }
  let n = f32(count);
  let o = (spanIndex * params.chunks + chunk) * 2u * params.channels + c;
  partials[o] = pivot + sum / n;
  partials[o + params.channels] = max(squares - sum * sum / n, ${type}());
}
`,
  };
}

export interface CoefficientsOptions {
  readonly scaleShift: boolean;
  /** Threads that reduce one group: 1 (no barrier) or 64. */
  readonly threads: 1 | 64;
}

/**
 * Stage 2. Arguments: partials, weight [C], bias [C], scaleShift [.., ≥ 2C] if there is one, coefficients [spans, 2, C]:
 * y = x·coefficients[0] + coefficients[1].
 */
export function groupNormCoefficients({ scaleShift, threads }: CoefficientsOptions): Shader {
  const params = [
    ['spans', 'u32'],
    ['groups', 'u32'],
    ['channels', 'u32'],
    ['rows', 'u32'],
    ['chunks', 'u32'],
    ['chunkRows', 'u32'],
    ['spansPerShift', 'u32'],
    ['shiftStride', 'u32'],
    ['shiftOffset', 'u32'],
    ['eps', 'f32'],
  ] as const;
  const names = ['partials', 'weight', 'bias', ...(scaleShift ? ['scaleShift'] : [])];
  const { declarations, ...shader } = shaderInterface(
    [...names.map((name) => [name, 'read', 'f32'] as const), ['coefficients', 'write', 'f32']],
    params,
  );
  const wide = threads > 1;
  return {
    ...shader,
    label: `group norm coefficients${scaleShift ? ' scale-shift' : ''} ${threads}`,
    code: wgsl`
${declarations}
${wide ? workgroupSum(threads) : 'fn total(value: f32, local: u32) -> f32 { return value; }'}
${linearMain(wide ? threads : workgroupSize)}
#if ${wide}
  let slot = workgroupIndex;
  let lane = local;
#else
  let slot = thread;
  let lane = 0u;
#endif
  if (slot >= params.spans * params.groups) {
    return;
  }
  let spanIndex = slot / params.groups;
  let group = slot % params.groups;
  let size = params.channels / params.groups;
  let base = spanIndex * params.chunks * 2u * params.channels + group * size;
  let pivot = partials[base];
  let parts = params.chunks * size;
  var weighted = 0.0;
  for (var i = lane; i < parts; i += ${threads}u) {
    let chunk = i / size;
    let n = f32(min(params.chunkRows, params.rows - chunk * params.chunkRows));
    weighted += n * (partials[base + chunk * 2u * params.channels + i % size] - pivot);
  }
  let count = f32(params.rows) * f32(size);
  let mean = pivot + total(weighted, lane) / count;
  var squares = 0.0;
  for (var i = lane; i < parts; i += ${threads}u) {
    let chunk = i / size;
    let n = f32(min(params.chunkRows, params.rows - chunk * params.chunkRows));
    let at = base + chunk * 2u * params.channels + i % size;
    let d = partials[at] - mean;
    squares += partials[at + params.channels] + n * d * d;
  }
  let deviation = inverseSqrt(total(squares, lane) / count + params.eps);
  for (var i = lane; i < size; i += ${threads}u) {
    let c = group * size + i;
    var a = deviation * weight[c];
    var b = bias[c] - mean * a;
#if ${scaleShift}
    let row = spanIndex / params.spansPerShift * params.shiftStride + params.shiftOffset + c;
    let scale = 1.0 + scaleShift[row];
    a *= scale;
    b = b * scale + scaleShift[row + params.channels];
#endif
    coefficients[spanIndex * 2u * params.channels + c] = a;
    coefficients[(spanIndex * 2u + 1u) * params.channels + c] = b;
  }
}
`,
  };
}

/** Stage 3. Arguments: x [spans, rows, C], coefficients [spans, 2, C], out. */
export function groupNormApply({ width, silu }: { readonly width: Width; readonly silu: boolean }): Shader {
  const type = vector(width);
  const { declarations, ...shader } = shaderInterface(
    [
      ['x', 'read', type],
      ['coefficients', 'read', type],
      ['out', 'write', type],
    ],
    chunkParams,
  );
  return {
    ...shader,
    label: `group norm apply${silu ? ' silu' : ''} x${width}`,
    code: wgsl`
${declarations}
${siluFunction(vector(width))}
${chunkOfThread}
  let a = coefficients[spanIndex * 2u * params.channels + c];
  let b = coefficients[(spanIndex * 2u + 1u) * params.channels + c];
  for (var r = 0u; r < count; r++) {
#if ${silu}
    out[at] = silu(x[at] * a + b);
#else
    out[at] = x[at] * a + b;
#endif
    at += params.channels;
  }
}
`,
  };
}
