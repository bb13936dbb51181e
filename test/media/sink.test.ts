// Timing of frames, and one sink that feeds several. Frames are stand-ins: Node has no VideoFrame.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FrameSink, frameTiming, tee } from '../../src/media/sink';

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

/** Counts frames that nobody closed. */
class Frames {
  open = 0;
  make(): VideoFrame {
    this.open++;
    let closed = false;
    const frame = {
      clone: () => this.make(),
      close: () => {
        if (!closed) this.open--;
        closed = true;
      },
    };
    return frame as unknown as VideoFrame;
  }
}

function sink(log: string[], name: string, add: () => Promise<void> = async () => {}): FrameSink<string> {
  return {
    async add(frame) {
      frame.close();
      await add();
      log.push(`${name} add`);
    },
    async close() {
      log.push(`${name} close`);
      return name;
    },
    async cancel() {
      log.push(`${name} cancel`);
    },
  };
}

test('every sink gets each frame, add waits for the slowest, close gives every result', async () => {
  const log: string[] = [];
  const frames = new Frames();
  const slow = () => new Promise<void>((resolve) => setTimeout(resolve, 20));
  const both = tee([sink(log, 'a'), sink(log, 'b', slow)]);
  await both.add(frames.make());
  expect(log).toEqual(['a add', 'b add']);
  expect(frames.open).toBe(0);
  expect(await both.close()).toEqual(['a', 'b']);
});

test('if one sink fails, all are cancelled and its error is thrown', async () => {
  const log: string[] = [];
  const frames = new Frames();
  const both = tee([sink(log, 'a'), sink(log, 'b', () => Promise.reject(new Error('disk full')))]);
  await expect(both.add(frames.make())).rejects.toThrow('disk full');
  expect(log).toEqual(['a add', 'a cancel', 'b cancel']);
  expect(frames.open).toBe(0);
});
