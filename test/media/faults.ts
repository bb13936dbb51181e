// What tests of faulty encoders share: frames to encode, whether all was freed, and the error.
import { expect } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import { videoFrame } from '../../src/media/pixels';
import { frameTiming } from '../../src/media/sink';
import { patches } from './art';
import { FakeEncoder } from './fake-encoder';

export const shape = { width: 64, height: 64, fps: 12 };

export const frames = (count: number) =>
  Array.from({ length: count }, (_, i) => videoFrame(patches(64), frameTiming(i, 12)));
export const open = (list: readonly VideoFrame[]) => list.filter((frame) => frame.format !== null).length;
export const allClosed = () => FakeEncoder.instances.every((instance) => instance.state === 'closed');

export async function failure(work: Promise<unknown>): Promise<FlipbookError> {
  const error = await work.then(
    () => expect.fail('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(FlipbookError);
  return error as FlipbookError;
}
