// What the norm kernels share, as WGSL text: vectors of channels, sums over a workgroup. Not kernels:
// group_norm.wgsl.ts, group_norm_wide.wgsl.ts and layer_norm.wgsl.ts build on it.
//
// Statistics are two-pass or merged by Chan's formula (Chan, Golub & LeVeque 1983), never E[x²] - E[x]² of raw values.
import { wgsl } from './wgsl';

/** Scalars or vec4s over channels: vec4 loads suit a GPU; neighbouring scalars suit an adapter that is four lanes wide. */
export type Width = 1 | 4;

export function vector(width: Width): 'f32' | 'vec4f' {
  return width === 4 ? 'vec4f' : 'f32';
}

/** The sum of a vector's components, as an expression. */
export function componentSum(width: Width, value: string): string {
  return width === 4 ? `dot(${value}, vec4f(1.0))` : value;
}

/** `total(value: f32, local: u32) -> f32`: the sum over a workgroup of `threads`, a power of two, for all of them. */
export function workgroupSum(threads: number): string {
  return wgsl`
var<workgroup> sums: array<f32, ${threads}>;
fn total(value: f32, local: u32) -> f32 {
  sums[local] = value;
  for (var half = ${threads / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { sums[local] += sums[local + half]; }
  }
  workgroupBarrier();
  let sum = sums[0];
  workgroupBarrier();
  return sum;
}
`;
}
