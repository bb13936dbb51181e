// Counter-based Gaussian noise on the CPU: the twin of shaders/random.wgsl.ts, whose integers and uniforms are the same to the bit.
import { checkWord, seedWords } from '../../src/diffusion/noise';

/** Four 32-bit words. */
export type Words4 = readonly [number, number, number, number];

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** High 32 bits of the 64-bit product of two u32, from 16-bit halves (every partial sum stays below 2^32). */
export function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const carry = a0 * b1 + (middle & 0xffff);
  return a1 * b1 + (middle >>> 16) + (carry >>> 16);
}

/**
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): four u32 from a counter and a key.
 * A pure function, so any element of any stream can be computed alone and in any order.
 */
export function philox4x32(counter: Words4, key: readonly [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/**
 * A u32 as a number strictly between 0 and 1: (floor(x / 2^9) + 1/2) · 2^-23.
 * The top 23 bits plus one half need 24 significant bits, which is exactly what f32 has. So the GPU makes the same number
 * without rounding, and it is never 0 (ln would overflow) nor 1: it lies in [2^-24, 1 - 2^-24].
 */
export function uniform(word: number): number {
  return ((word >>> 9) + 0.5) * 2 ** -23;
}

/** Box–Muller (1958): two independent standard normals, sqrt(-2 ln u) times (cos, sin) of 2πv. */
export function boxMuller(u: number, v: number): readonly [number, number] {
  const radius = Math.sqrt(-2 * Math.log(u));
  const angle = 2 * Math.PI * v;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** The four normals of one group: counter (group, stream, 0, 0), key = seed, words (0,1) and (2,3) through Box–Muller. */
export function gaussianGroup(seed: number, stream: number, group: number): Words4 {
  const [w0, w1, w2, w3] = philox4x32([group, stream, 0, 0], seedWords(seed));
  const [n0, n1] = boxMuller(uniform(w0), uniform(w1));
  const [n2, n3] = boxMuller(uniform(w2), uniform(w3));
  return [n0, n1, n2, n3];
}

/**
 * `length` standard normals of one stream as f32. What the kernels draw for the same key, up to the rounding of their
 * log, cos and sin. |n| ≤ sqrt(48 ln 2) ≈ 5.77.
 */
export function gaussianNoise(length: number, seed: number, stream: number, firstElement = 0): Float32Array {
  checkWord('stream', stream);
  checkWord('firstElement', firstElement);
  const out = new Float32Array(length);
  let group = -1;
  let values: Words4 = [0, 0, 0, 0];
  for (let i = 0; i < length; i++) {
    const element = firstElement + i;
    const wanted = Math.floor(element / 4);
    if (wanted !== group) {
      group = wanted;
      values = gaussianGroup(seed, stream, group);
    }
    out[i] = values[element % 4] as number;
  }
  return out;
}
