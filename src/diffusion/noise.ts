// The keys of the GPU's noise. The noise itself is the kernels' (shaders/random.wgsl.ts).

/** The largest seed: every integer up to it is exact in a double and fits the 64-bit Philox key. */
export const MAX_SEED = Number.MAX_SAFE_INTEGER;

/**
 * The seed as the two words of the Philox key, low first.
 * @throws RangeError unless it is an integer in 0..2^53-1
 */
export function seedWords(seed: number): readonly [number, number] {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`seed must be an integer from 0 to ${MAX_SEED}, but it is ${seed}`);
  }
  return [seed >>> 0, Math.floor(seed / 0x1_0000_0000)];
}

/**
 * The `key` tensor of the GPU noise kernels: u32 [4] = (seedLow, seedHigh, stream, firstElement).
 * Element i of a tensor is lane (firstElement + i) mod 4 of the group floor((firstElement + i) / 4).
 * @throws RangeError for a seed as `seedWords` does, and for another number that is no u32
 */
export function noiseKey(seed: number, stream: number, firstElement = 0): Uint32Array {
  const [low, high] = seedWords(seed);
  return Uint32Array.of(low, high, checkWord('stream', stream), checkWord('firstElement', firstElement));
}

/** @throws RangeError unless the value is a u32 */
export function checkWord(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new RangeError(`${name} must be an unsigned 32-bit integer, but it is ${value}`);
  }
  return value;
}
