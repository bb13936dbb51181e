// Philox4x32-10 and Box–Muller as WGSL: noise that is a pure function of (seed, stream, element). Not a kernel: the noise
// update builds on it. test/reference/philox.ts is the bit-exact TypeScript twin of the integers and the uniforms.
import { cosSin, preciseLn } from './precise.wgsl';
import { wgsl } from './wgsl';

/**
 * `philox(group: u32, stream: u32, seed: vec2u) -> vec4u` (Salmon et al., SC 2011) for counter (group, stream, 0, 0), and
 * `normalsFrom(first: u32, stream: u32, seed: vec2u) -> vec4f`: its words (0,1) and (2,3) through Box–Muller, four elements.
 */
export const philoxNormals = wgsl`
${preciseLn}
${cosSin}
fn multiplyHigh(a: u32, b: u32) -> u32 {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let middle = a1 * b0 + ((a0 * b0) >> 16u);
  let carry = a0 * b1 + (middle & 0xffffu);
  return a1 * b1 + (middle >> 16u) + (carry >> 16u);
}

fn philox(group: u32, stream: u32, seed: vec2u) -> vec4u {
  var counter = vec4u(group, stream, 0u, 0u);
  var key = seed;
  for (var round = 0; round < 10; round++) {
    let high0 = multiplyHigh(0xd2511f53u, counter.x);
    let high1 = multiplyHigh(0xcd9e8d57u, counter.z);
    counter = vec4u(high1 ^ counter.y ^ key.x, 0xcd9e8d57u * counter.z, high0 ^ counter.w ^ key.y, 0xd2511f53u * counter.x);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return counter;
}

// The top 23 bits and one half are 24 significant bits, so u is exact in f32 and never 0 nor 1.
fn uniform01(word: u32) -> f32 {
  return (f32(word >> 9u) + 0.5) * 1.1920928955078125e-7;
}

fn boxMuller(u: u32, v: u32) -> vec2f {
  return sqrt(-2.0 * preciseLn(uniform01(u))) * cosSin(uniform01(v));
}

fn normals(words: vec4u) -> vec4f {
  return vec4f(boxMuller(words.x, words.y), boxMuller(words.z, words.w));
}

// Four normals from element "first" on: one group, or the ends of two where "first" is not a multiple of four.
fn normalsFrom(first: u32, stream: u32, seed: vec2u) -> vec4f {
  let n = normals(philox(first >> 2u, stream, seed));
  let lane = first & 3u;
  if (lane == 0u) {
    return n;
  }
  let next = normals(philox((first >> 2u) + 1u, stream, seed));
  if (lane == 1u) {
    return vec4f(n.yzw, next.x);
  }
  return select(vec4f(n.w, next.xyz), vec4f(n.zw, next.xy), lane == 2u);
}
`;
