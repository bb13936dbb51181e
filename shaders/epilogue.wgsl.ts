// What every matrix-like kernel ends with, as WGSL text: f16 weights in, bias, activation, residual, store.
// Not a kernel: conv3d and matmul build on it.
import { siluFunction } from './activation.wgsl';
import { enables, type ShaderParam, type StorageBinding, shaderInterface, wgsl } from './wgsl';

export type Activation = 'none' | 'silu' | 'gelu';

/** y = activation(accumulator + bias) + residual. */
export interface EpilogueOptions {
  readonly bias: boolean;
  readonly residual: boolean;
  readonly activation: Activation;
  /** The output channels come in whole vec4s. */
  readonly aligned: boolean;
  /** Weights are declared as f16 (needs `shader-f16`) instead of being unpacked from u32. */
  readonly f16: boolean;
}

/**
 * Storage x, weight, bias?, residual?, out, and the uniforms, in this order; `xType` is the element type of x.
 * Also the directives that the options, or `subgroups`, ask for.
 */
export function gemmInterface(
  { bias, residual, aligned, f16 }: EpilogueOptions,
  xType: 'f32' | 'vec4f',
  params: readonly ShaderParam[],
  subgroups = false,
): ReturnType<typeof shaderInterface> {
  const element = aligned ? 'vec4f' : 'f32';
  const packed = aligned ? 'vec2u' : 'u32';
  const half = aligned ? 'vec4h' : 'f16';
  const bindings: StorageBinding[] = [
    ['x', 'read', xType],
    ['weight', 'read', f16 ? half : packed],
  ];
  if (bias) bindings.push(['bias', 'read', element]);
  if (residual) bindings.push(['residual', 'read', element]);
  bindings.push(['out', 'write', element]);
  const { declarations, ...shader } = shaderInterface(bindings, params);
  return { ...shader, declarations: `${enables({ f16, subgroups })}${declarations}` };
}

/**
 * `weightAt(i) -> vec4f`: four output channels of one weight row. `i` counts vec4s where the channels are aligned, else
 * single halves; past the end of a row it gives numbers of no meaning, whose results are never stored.
 */
export function weightAt({ aligned, f16 }: EpilogueOptions): string {
  return wgsl`
#if ${aligned && f16}
fn weightAt(i: u32) -> vec4f {
  return vec4f(weight[i]);
}
#elif ${aligned}
fn weightAt(i: u32) -> vec4f {
  let packed = weight[i];
  return vec4f(unpack2x16float(packed.x), unpack2x16float(packed.y));
}
#elif ${f16}
fn weightAt(i: u32) -> vec4f {
  return vec4f(vec4h(weight[i], weight[i + 1u], weight[i + 2u], weight[i + 3u]));
}
#else
fn weightAt(i: u32) -> vec4f {
  let a = vec4f(unpack2x16float(weight[i >> 1u]), unpack2x16float(weight[(i >> 1u) + 1u]));
  let next = unpack2x16float(weight[(i >> 1u) + 2u]).x;
  return select(a, vec4f(a.yzw, next), (i & 1u) == 1u);
}
#endif
`;
}

/**
 * `finish(sum: vec4f, row: u32, column: u32)`: the epilogue of output channels column .. column + 3 of one output row.
 * It needs `params.cout`; channels past the last one are dropped.
 */
export function finish({ bias, residual, activation, aligned }: EpilogueOptions): string {
  const value = wgsl`
#if ${activation === 'none'}
  let y = sum;
#elif ${activation === 'silu'}
  let y = silu(sum);
#else
  let y = gelu(sum);
#endif
`;
  return wgsl`
#if ${activation === 'silu'}
${siluFunction('vec4f')}
#elif ${activation === 'gelu'}
// Exact GELU. erf: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26; absolute error 1.5e-7.
fn gelu(v: vec4f) -> vec4f {
  let z = abs(v) * 0.7071067811865476;
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  let erf = 1.0 - p * exp(-z * z);
  return 0.5 * (v + abs(v) * erf);
}
#endif
#if ${aligned}
fn finish(accumulated: vec4f, row: u32, column: u32) {
  if (column >= params.cout) {
    return;
  }
  let at = (row * params.cout + column) >> 2u;
#if ${bias}
  let sum = accumulated + bias[column >> 2u];
#else
  let sum = accumulated;
#endif
${value}
#if ${residual}
  out[at] = y + residual[at];
#else
  out[at] = y;
#endif
}
#else
fn finish(accumulated: vec4f, row: u32, column: u32) {
  let at = row * params.cout + column;
#if ${bias}
  let sum = accumulated + vec4f(bias[column], bias[column + 1u], bias[column + 2u], bias[column + 3u]);
#else
  let sum = accumulated;
#endif
${value}
  for (var i = 0u; i < 4u; i++) {
    if (column + i < params.cout) {
#if ${residual}
      out[at + i] = y[i] + residual[at + i];
#else
      out[at + i] = y[i];
#endif
    }
  }
}
#endif
`;
}

/** The part of a label that says which epilogue it is. */
export function epilogueLabel({ bias, residual, activation, aligned, f16 }: EpilogueOptions): string {
  const parts = [
    bias && 'bias',
    activation !== 'none' && activation,
    residual && 'residual',
    !aligned && 'unaligned',
    f16 && 'f16',
  ];
  return parts.filter(Boolean).join(' ');
}
