// ln, cos and sin to f32 accuracy as WGSL text. Not kernels: random and embed build on them.
// WGSL lets the built-ins be off by 2^-11 (cos, sin) or 2^-21 (log near 1); these give the same noise on every adapter,
// up to the rounding of f32. Polynomials: Cephes logf, sinf and cosf (S. Moshier, public domain).
import { wgsl } from './wgsl';

/** `preciseLn(u: f32) -> f32`: natural logarithm of a normal positive number. */
export const preciseLn = wgsl`
fn preciseLn(u: f32) -> f32 {
  let bits = bitcast<u32>(u);
  var e = f32(bits >> 23u) - 126.0;
  var m = bitcast<f32>((bits & 0x007fffffu) | 0x3f000000u);
  if (m < 0.70710678) {
    e -= 1.0;
    m = 2.0 * m - 1.0;
  } else {
    m -= 1.0;
  }
  let z = m * m;
  var p = 7.0376836292e-2 * m - 1.1514610310e-1;
  p = p * m + 1.1676998740e-1;
  p = p * m - 1.2420140846e-1;
  p = p * m + 1.4249322787e-1;
  p = p * m - 1.6668057665e-1;
  p = p * m + 2.0000714765e-1;
  p = p * m - 2.4999993993e-1;
  p = p * m + 3.3333331174e-1;
  let tail = p * m * z - 2.12194440e-4 * e - 0.5 * z;
  return m + tail + 0.693359375 * e;
}
`;

/** `cosSin(turns: f32) -> vec2f`: cosine and sine of 2π·turns, for |turns| below 2^20; exact reduction to an eighth of a turn. */
export const cosSin = wgsl`
fn cosSin(turns: f32) -> vec2f {
  let quarter = floor(turns * 4.0 + 0.5);
  let a = (turns - quarter * 0.25) * 6.283185307;
  let z = a * a;
  let s = a + a * z * ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1);
  let c = 1.0 - 0.5 * z + z * z * ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2);
  switch (i32(quarter) & 3) {
    case 1: { return vec2f(-s, c); }
    case 2: { return vec2f(-c, -s); }
    case 3: { return vec2f(s, -c); }
    default: { return vec2f(c, s); }
  }
}
`;
