// The keys of the GPU's noise, and counter-based Gaussian noise on the CPU, the twin of shaders/random.wgsl.ts: its integers are
// the same to the bit. A generation's own noise is made on the GPU; the twin serves tests and the bench.

/** Four 32-bit words. */
export type Words4 = readonly [number, number, number, number];

/** The largest seed: every integer up to it is exact in a double and fits the 64-bit Philox key. */
export const MAX_SEED = Number.MAX_SAFE_INTEGER;

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

/** The seed as the two words of the Philox key, low first. Throws RangeError unless it is an integer in 0..2^53-1. */
export function seedWords(seed: number): readonly [number, number] {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`seed must be an integer from 0 to ${MAX_SEED}, but it is ${seed}`);
  }
  return [seed >>> 0, Math.floor(seed / 0x1_0000_0000)];
}

/**
 * The `key` tensor of the GPU noise kernels: u32 [4] = (seedLow, seedHigh, stream, firstElement).
 * Element i of a tensor is lane (firstElement + i) mod 4 of the group floor((firstElement + i) / 4).
 */
export function noiseKey(seed: number, stream: number, firstElement = 0): Uint32Array {
  const [low, high] = seedWords(seed);
  return Uint32Array.of(low, high, checkWord('stream', stream), checkWord('firstElement', firstElement));
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
 * `length` standard normals of one stream as f32. What the GPU kernel writes for the same key, up to the rounding of its
 * log, cos and sin (the integers and the uniforms agree exactly). |n| ≤ sqrt(48 ln 2) ≈ 5.77.
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

function checkWord(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new RangeError(`${name} must be an unsigned 32-bit integer, but it is ${value}`);
  }
  return value;
}
