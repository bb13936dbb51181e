// Timing of frames.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameTiming } from '../../src/media/sink';

test('frames follow each other without gaps, and rounding never adds up', () => {
  fc.assert(
    fc.property(fc.constantFrom(8, 12, 15, 23.976, 24, 30, 60), fc.nat({ max: 10_000 }), (fps, index) => {
      const { timestamp, duration } = frameTiming(index, fps);
      expect(Math.abs(timestamp - (index * 1e6) / fps)).toBeLessThanOrEqual(0.5);
      expect(timestamp + duration).toBe(frameTiming(index + 1, fps).timestamp);
    }),
  );
  expect(frameTiming(0, 12)).toEqual({ timestamp: 0, duration: 83333 });
  expect(frameTiming(36, 12).timestamp).toBe(3e6);
});
