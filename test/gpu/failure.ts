// What tests of a device that goes wrong share: a kernel that writes, and the error that the user is told.
import { expect } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import type { Kernel } from '../../src/gpu/kernel';

export const fill: Kernel = {
  label: 'fill',
  access: ['write'],
  params: [['value', 'f32']],
  code: `
    struct Params { value: f32 }
    @group(0) @binding(0) var<storage, read_write> out: array<f32>;
    @group(0) @binding(1) var<uniform> params: Params;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { out[id.x] = params.value; }`,
};

export async function failure(promise: Promise<unknown>): Promise<FlipbookError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(FlipbookError);
  expect((error as FlipbookError).hint).not.toBe('');
  return error as FlipbookError;
}
