// Group norm and layer norm with scale-shift and SiLU, as WGSL. Not the choice between their variants: src/ops/norm.ts.
//
// Statistics are two-pass or merged by Chan's formula (Chan, Golub & LeVeque 1983), never E[x²] - E[x]² of raw values.
import { paramsStruct, type Shader, wgsl } from './wgsl';

const linearIndex = wgsl`(workgroup.y * workgroups.x + workgroup.x)`;
const builtins = wgsl`@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32`;

/** Scalars or vec4s over channels: vec4 loads suit a GPU; neighbouring scalars suit an adapter that is four lanes wide. */
export type Width = 1 | 4;
const vector = (width: Width): string => (width === 4 ? 'vec4f' : 'f32');

/** Workgroup size of the kernels that count threads. */
export const NORM_THREADS = 64;

/**
 * Stage 1 of the wide group norm. Arguments: x [spans, rows, C], partials [spans, chunks, 2, C]: mean of a chunk of rows and
 * sum of squares about it. One thread per span, chunk and channel (or four): no barrier, and as wide as the tensor.
 * `channels` counts vectors of `width`.
 */
export function groupNormPartials({ width }: { readonly width: Width }): Shader {
  const params = [
    ['threads', 'u32'],
    ['rows', 'u32'],
    ['channels', 'u32'],
    ['chunks', 'u32'],
    ['chunkRows', 'u32'],
  ] as const;
  return {
    label: `group norm partials x${width}`,
    access: ['read', 'write'],
    params,
    code: wgsl`
${paramsStruct(params, 2)}
@group(0) @binding(0) var<storage, read> x: array<${vector(width)}>;
@group(0) @binding(1) var<storage, read_write> partials: array<${vector(width)}>;
@compute @workgroup_size(${NORM_THREADS})
fn main(${builtins}) {
  let index = ${linearIndex} * ${NORM_THREADS}u + local;
  let thread = min(index, params.threads - 1u);  // no thread idles beside working ones
  let c = thread % params.channels;
  let chunk = thread / params.channels % params.chunks;
  let span = thread / params.channels / params.chunks;
  let first = chunk * params.chunkRows;
  let count = min(params.chunkRows, params.rows - first);
  var at = (span * params.rows + first) * params.channels + c;
  // Sums about the first value: a large mean does not cancel the digits of a small variance.
  let pivot = x[at];
  var sum = pivot - pivot;
  var squares = sum;
  for (var r = 1u; r < count; r++) {
    at += params.channels;
    let d = x[at] - pivot;
    sum += d;
    squares += d * d;
  }
  let n = f32(count);
  if (index < params.threads) {
    let o = (span * params.chunks + chunk) * 2u * params.channels + c;
    partials[o] = pivot + sum / n;
    partials[o + params.channels] = max(squares - sum * sum / n, ${vector(width)}());
  }
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
 * Stage 2. Arguments: partials, weight [C], bias [C], scaleShift [.., ≥ 2C] if there is one, coefficients [sets, 2, C]:
 * y = x·coefficients[0] + coefficients[1]. There are as many sets as spans, or as rows of scaleShift if these are more.
 */
export function groupNormCoefficients({ scaleShift, threads }: CoefficientsOptions): Shader {
  const params = [
    ['sets', 'u32'],
    ['groups', 'u32'],
    ['channels', 'u32'],
    ['rows', 'u32'],
    ['chunks', 'u32'],
    ['chunkRows', 'u32'],
    ['setsPerSpan', 'u32'],
    ['setsPerShift', 'u32'],
    ['shiftStride', 'u32'],
    ['shiftOffset', 'u32'],
    ['eps', 'f32'],
  ] as const;
  const names = ['partials', 'weight', 'bias', ...(scaleShift ? ['scaleShift'] : [])];
  const wide = threads > 1;
  return {
    label: `group norm coefficients${scaleShift ? ' scale-shift' : ''} ${threads}`,
    access: [...names.map(() => 'read' as const), 'write'],
    params,
    code: wgsl`
${paramsStruct(params, names.length + 1)}
${names.map((name, i) => `@group(0) @binding(${i}) var<storage, read> ${name}: array<f32>;`).join('\n')}
@group(0) @binding(${names.length}) var<storage, read_write> coefficients: array<f32>;
#if ${wide}
var<workgroup> shared_: array<f32, ${threads}>;
fn total(value: f32, local: u32) -> f32 {
  shared_[local] = value;
  for (var half = ${threads / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { shared_[local] += shared_[local + half]; }
  }
  workgroupBarrier();
  let sum = shared_[0];
  workgroupBarrier();
  return sum;
}
#else
fn total(value: f32, local: u32) -> f32 { return value; }
#endif
@compute @workgroup_size(${wide ? threads : NORM_THREADS})
fn main(${builtins}) {
#if ${wide}
  let slot = ${linearIndex};
  let lane = local;
#else
  let slot = ${linearIndex} * ${NORM_THREADS}u + local;
  let lane = 0u;
#endif
  if (slot >= params.sets * params.groups) {
    return;
  }
  let setIndex = slot / params.groups;
  let group = slot % params.groups;
  let size = params.channels / params.groups;
  let base = setIndex / params.setsPerSpan * params.chunks * 2u * params.channels + group * size;
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
    let row = setIndex / params.setsPerShift * params.shiftStride + params.shiftOffset + c;
    let scale = 1.0 + scaleShift[row];
    a *= scale;
    b = b * scale + scaleShift[row + params.channels];
#endif
    coefficients[setIndex * 2u * params.channels + c] = a;
    coefficients[(setIndex * 2u + 1u) * params.channels + c] = b;
  }
}
`,
  };
}

const silu = (width: Width): string =>
  wgsl`fn silu(y: ${vector(width)}) -> ${vector(width)} { return y / (1.0 + exp(-y)); }`;

/** Stage 3. Arguments: x [sets, rows, C], coefficients [sets, 2, C], out. `channels` counts vectors of `width`. */
export function groupNormApply({ width, silu: fused }: { readonly width: Width; readonly silu: boolean }): Shader {
  const params = [
    ['threads', 'u32'],
    ['rows', 'u32'],
    ['channels', 'u32'],
    ['chunks', 'u32'],
    ['chunkRows', 'u32'],
  ] as const;
  return {
    label: `group norm apply${fused ? ' silu' : ''} x${width}`,
    access: ['read', 'read', 'write'],
    params,
    code: wgsl`
${paramsStruct(params, 3)}
@group(0) @binding(0) var<storage, read> x: array<${vector(width)}>;
@group(0) @binding(1) var<storage, read> coefficients: array<${vector(width)}>;
@group(0) @binding(2) var<storage, read_write> out: array<${vector(width)}>;
${silu(width)}
@compute @workgroup_size(${NORM_THREADS})
fn main(${builtins}) {
  // Threads past the end repeat the last one's work: the same values to the same places.
  let thread = min(${linearIndex} * ${NORM_THREADS}u + local, params.threads - 1u);
  let c = thread % params.channels;
  let chunk = thread / params.channels % params.chunks;
  let setIndex = thread / params.channels / params.chunks;
  let a = coefficients[setIndex * 2u * params.channels + c];
  let b = coefficients[(setIndex * 2u + 1u) * params.channels + c];
  let first = chunk * params.chunkRows;
  let count = min(params.chunkRows, params.rows - first);
  var at = (setIndex * params.rows + first) * params.channels + c;
  for (var r = 0u; r < count; r++) {
#if ${fused}
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
export function groupNorm({ width, groupVectors, silu: fused, scaleShift }: GroupNormOptions): Shader {
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
  const sum = (value: string): string => (width === 4 ? `dot(${value}, vec4f(1.0))` : value);
  return {
    label: `group norm ${groupVectors}x${width}${fused ? ' silu' : ''}${scaleShift ? ' scale-shift' : ''}`,
    access: [...names.map(() => 'read' as const), 'write'],
    params,
    code: wgsl`
${paramsStruct(params, names.length + 1)}
${names.map((name, i) => `@group(0) @binding(${i}) var<storage, read> ${name}: array<${type}>;`).join('\n')}
@group(0) @binding(${names.length}) var<storage, read_write> out: array<${type}>;
${silu(width)}
var<workgroup> shared_: array<f32, ${GROUP_THREADS}>;
fn total(value: f32, local: u32) -> f32 {
  shared_[local] = value;
  for (var half = ${GROUP_THREADS / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { shared_[local] += shared_[local + half]; }
  }
  workgroupBarrier();
  let sum = shared_[0];
  workgroupBarrier();
  return sum;
}
@compute @workgroup_size(${GROUP_THREADS})
fn main(${builtins}) {
  let slot = ${linearIndex};
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
  let mean = total(${sum('sum')}, local) / count;
  var squares = ${type}();
  for (var i = local; i < size; i += ${GROUP_THREADS}u) {
    let d = x[base + i / ${groupVectors}u * params.channels + i % ${groupVectors}u] - mean;
    squares += d * d;
  }
  let deviation = inverseSqrt(total(${sum('squares')}, local) / count + params.eps);
  for (var i = local; i < size; i += ${GROUP_THREADS}u) {
    let row = i / ${groupVectors}u;
    let c = group * ${groupVectors}u + i % ${groupVectors}u;
    let at = base + row * params.channels + i % ${groupVectors}u;
    var y = (x[at] - mean) * deviation * weight[c] + bias[c];
#if ${scaleShift}
    let shift = (span * params.rows + row) / params.rowsPerShift * params.shiftStride + params.shiftOffset + c;
    y = y * (1.0 + scaleShift[shift]) + scaleShift[shift + params.channels];
#endif
#if ${fused}
    y = silu(y);
#endif
    out[at] = y;
  }
}
`,
  };
}

export interface LayerNormOptions {
  readonly width: Width;
  readonly weight: boolean;
  readonly bias: boolean;
  readonly scaleShift: boolean;
  /** Threads that share a row. 1: no barrier. */
  readonly lanes: number;
  /** Rows of a workgroup. */
  readonly rows: number;
}

/**
 * Arguments: x [rows, C], weight [C] and bias [C] if there, scaleShift [.., ≥ 2C] if there, out. Strides and `channels` count
 * vectors of `width`.
 */
export function layerNorm({ width, weight, bias, scaleShift, lanes, rows }: LayerNormOptions): Shader {
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
  const sum = (value: string): string => (width === 4 ? `dot(${value}, vec4f(1.0))` : value);
  return {
    label: `layer norm x${width}${weight ? ' weight' : ''}${bias ? ' bias' : ''}${scaleShift ? ' scale-shift' : ''} ${rows}x${lanes}`,
    access: [...names.map(() => 'read' as const), 'write'],
    params,
    code: wgsl`
${paramsStruct(params, names.length + 1)}
${names.map((name, i) => `@group(0) @binding(${i}) var<storage, read> ${name}: array<${type}>;`).join('\n')}
@group(0) @binding(${names.length}) var<storage, read_write> out: array<${type}>;
#if ${lanes > 1}
var<workgroup> sums: array<f32, ${lanes * rows}>;
var<workgroup> squares: array<f32, ${lanes * rows}>;
#endif
@compute @workgroup_size(${lanes * rows})
fn main(${builtins}) {
  let lane = local % ${lanes}u;
  // Rows past the end repeat the last one: barriers stay uniform, and the same values go to the same places.
  let row = min(${linearIndex} * ${rows}u + local / ${lanes}u, params.rows - 1u);
  let base = row * params.channels;
  let count = f32(params.channels) * ${width}.0;
  var part = ${type}();
  for (var c = lane; c < params.channels; c += ${lanes}u) {
    part += x[base + c];
  }
#if ${lanes > 1}
  sums[local] = ${sum('part')};
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < ${lanes}u; i++) {
    total += sums[local - lane + i];
  }
#else
  var total = ${sum('part')};
#endif
  let mean = total / count;
  part = ${type}();
  for (var c = lane; c < params.channels; c += ${lanes}u) {
    let d = x[base + c] - mean;
    part += d * d;
  }
#if ${lanes > 1}
  squares[local] = ${sum('part')};
  workgroupBarrier();
  total = 0.0;
  for (var i = 0u; i < ${lanes}u; i++) {
    total += squares[local - lane + i];
  }
#else
  total = ${sum('part')};
#endif
  let deviation = inverseSqrt(total / count + params.eps);
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
