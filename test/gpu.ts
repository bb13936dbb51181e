// The harness of tests that need WebGPU: one shared Gpu per test file, plans run inside error scopes, tensors made from
// numbers, and a comparison that shows the worst element. It holds no reference implementation: see test/reference.
import { expect } from 'vitest';
import type { Gpu } from '../src/gpu/device';
import { openGpu } from '../src/gpu/open';
import { Plan } from '../src/gpu/plan';
import { type DType, sizeOf, type Tensor } from '../src/gpu/tensor';

let shared: Promise<Gpu> | undefined;

/** The Gpu of this test file. It goes with the page. */
export function testGpu(): Promise<Gpu> {
  shared ??= openGpu();
  return shared;
}

/** What a plan is built with in a test: the plan, and tensors uploaded for it that are freed after the run. */
export interface TestPlan extends Plan {
  /** f32 values. */
  f32(shape: readonly number[], values: ArrayLike<number>): Tensor;
  /** Values rounded to f16, packed two to a u32. */
  f16(shape: readonly number[], values: ArrayLike<number>): Tensor;
  u32(shape: readonly number[], values: ArrayLike<number>): Tensor;
}

/**
 * Records, compiles, runs and reads back, inside validation and out-of-memory scopes, and frees everything.
 * `build` gets a plan and may upload through it (`plan.f32(...)`) or with `upload`. Results come as numbers.
 */
export async function runPlan(
  build: (plan: TestPlan, gpu: Gpu) => Tensor | readonly Tensor[],
  options: { readonly runs?: number } = {},
): Promise<Float32Array[]> {
  const gpu = await testGpu();
  const { device } = gpu;
  const uploads: Tensor[] = [];
  const make = (dtype: DType) => (shape: readonly number[], values: ArrayLike<number>) => {
    const tensor = upload(gpu, shape, values, dtype);
    uploads.push(tensor);
    return tensor;
  };
  const plan = Object.assign(new Plan(gpu, 'test'), { f32: make('f32'), f16: make('f16'), u32: make('u32') });
  device.pushErrorScope('validation');
  device.pushErrorScope('out-of-memory');
  try {
    const built = build(plan, gpu);
    const outputs = 'storage' in built ? [built] : built;
    for (const output of outputs) plan.keep(output);
    const program = await plan.compile();
    try {
      for (let run = 0; run < (options.runs ?? 1); run++) await program.submit();
      const results: Float32Array[] = [];
      for (const output of outputs) results.push(await program.read(output));
      return results;
    } finally {
      program.dispose();
    }
  } finally {
    for (const tensor of uploads) gpu.free(tensor);
    const memory = await device.popErrorScope();
    const validation = await device.popErrorScope();
    expect(memory?.message, 'out of memory').toBeUndefined();
    expect(validation?.message, 'validation error').toBeUndefined();
  }
}

/** The elements of an f32 tensor that has a buffer of its own. */
export async function readTensor(gpu: Gpu, { storage, shape }: Tensor): Promise<Float32Array> {
  if (storage.kind !== 'buffer') throw new TypeError('the tensor has no buffer of its own');
  return new Float32Array(await gpu.readBuffer(storage.buffer, storage.offset, 4 * sizeOf(shape)));
}

export function upload(gpu: Gpu, shape: readonly number[], values: ArrayLike<number>, dtype: DType = 'f32'): Tensor {
  const data =
    dtype === 'f16' ? toHalf(values) : dtype === 'f32' ? Float32Array.from(values) : Uint32Array.from(values);
  return gpu.upload(data, shape, dtype, `test ${dtype} [${shape}]`);
}

/** Bit patterns of the nearest f16, ties to even. */
export function toHalf(values: ArrayLike<number>): Uint16Array {
  return Uint16Array.from({ length: values.length }, (_, i) => halfBits(values[i]!));
}

/** The values as f16 holds them: what a reference must compute with when a weight is stored as f16. */
export function roundToHalf(values: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: values.length }, (_, i) => roundHalf(values[i]!));
}

function roundHalf(value: number): number {
  const magnitude = Math.abs(value);
  if (!(magnitude > 0) || magnitude === Number.POSITIVE_INFINITY) return value;
  // The last bit is 2^-24 in the subnormals, else 2^-10 of the leading power of two.
  const step = 2 ** (Math.max(-14, Math.floor(Math.log2(magnitude))) - 10);
  const scaled = magnitude / step;
  const below = Math.floor(scaled);
  const rest = scaled - below;
  const rounded = (rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below) * step;
  return Math.sign(value) * (rounded >= 65520 ? Number.POSITIVE_INFINITY : rounded);
}

function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  if (Number.isNaN(value)) return 0x7e00;
  const magnitude = Math.abs(roundHalf(value));
  if (magnitude === 0) return sign;
  if (magnitude === Number.POSITIVE_INFINITY) return sign | 0x7c00;
  if (magnitude < 2 ** -14) return sign | (magnitude * 2 ** 24);
  let exponent = Math.floor(Math.log2(magnitude));
  if (2 ** exponent > magnitude) exponent--;
  return sign | ((exponent + 15) << 10) | ((magnitude / 2 ** exponent - 1) * 1024);
}

/** Repeatable values, roughly standard normal: the same for a seed on every machine. */
export function randomValues(count: number, seed = 1): Float32Array {
  let state = (seed * 2654435761) >>> 0;
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next()));
}

export interface Difference {
  /** max |actual − expected| / max |expected|: the measure that `expectClose` limits. */
  readonly relative: number;
  readonly index: number;
  readonly actual: number;
  readonly expected: number;
}

/** The worst element, measured against the largest expected magnitude. NaN anywhere is an infinite difference. */
export function worstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): Difference {
  let scale = 0;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]!));
  let worst = { relative: 0, index: 0, actual: actual[0] ?? Number.NaN, expected: expected[0] ?? Number.NaN };
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!) / (scale || 1);
    const relative = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    if (relative > worst.relative) worst = { relative, index: i, actual: actual[i]!, expected: expected[i]! };
  }
  return worst;
}

/**
 * Fails where the lengths differ or the worst element is off by more than `tolerance` times the largest expected
 * magnitude. With `shape` the message gives the element's coordinates.
 */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  shape: readonly number[] = [expected.length],
): void {
  expect(actual.length, 'number of elements').toBe(expected.length);
  expect(expected.length, 'number of elements').toBe(sizeOf(shape));
  const worst = worstDifference(actual, expected);
  if (worst.relative <= tolerance) {
    expect(worst.relative).toBeLessThanOrEqual(tolerance);
    return;
  }
  const at = coordinates(worst.index, shape);
  const wrong = Array.from({ length: expected.length }, (_, i) => i).filter(
    (i) => !(Math.abs(actual[i]! - expected[i]!) <= tolerance * Math.abs(worst.expected || 1)),
  ).length;
  expect.fail(
    `worst element [${at}] of [${shape}]: ${worst.actual}, expected ${worst.expected}; ` +
      `relative error ${worst.relative.toExponential(2)} > ${tolerance}; about ${wrong} of ${expected.length} are off`,
  );
}

function coordinates(index: number, shape: readonly number[]): number[] {
  const at: number[] = [];
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return at;
}
