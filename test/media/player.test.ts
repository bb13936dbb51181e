// The loop: on time, without drift, seamless at the end; against a clock that the test turns.
import { afterEach, expect, test, vi } from 'vitest';
import { type Clock, LoopPlayer, systemClock } from '../../src/media/player';

class TestClock implements Clock {
  time = 1000;
  waiting: (() => void) | null = null;
  now(): number {
    return this.time;
  }
  request(callback: () => void): () => void {
    this.waiting = callback;
    return () => {
      if (this.waiting === callback) this.waiting = null;
    };
  }
  /** Advances, then one display refresh. */
  advance(milliseconds: number): void {
    this.time += milliseconds;
    const callback = this.waiting;
    this.waiting = null;
    callback?.();
  }
}

function player(frames: number, fps: number) {
  const clock = new TestClock();
  const drawn: number[] = [];
  return { clock, drawn, loop: new LoopPlayer({ frames, fps, clock, draw: (index) => void drawn.push(index) }) };
}

afterEach(() => vi.unstubAllGlobals());

test('shows frame 0 before it plays, then each frame once, and the first one right after the last', () => {
  const { clock, drawn, loop } = player(3, 10);
  expect(drawn).toEqual([0]);
  expect(clock.waiting).toBeNull();
  loop.play();
  for (let i = 0; i < 14; i++) clock.advance(50);
  expect(drawn).toEqual([0, 1, 2, 0, 1, 2, 0, 1]);
});

test.for([12, 24, 7, 29.97])('%s fps does not drift in ten minutes of uneven refreshes', (fps) => {
  const { clock, drawn, loop } = player(36, fps);
  loop.play();
  let elapsed = 0;
  for (let i = 0; elapsed < 600_000; i++) {
    const next = [16.7, 16.6, 33.4, 8.3, 120][i % 5]!;
    elapsed += next;
    clock.advance(next);
    const exact = (elapsed * fps) / 1000;
    // On a boundary either frame is right.
    if (Math.abs(exact - Math.round(exact)) > 1e-3) expect(drawn.at(-1)).toBe(Math.floor(exact) % 36);
  }
});

test('what looks otherwise is drawn again: at rest at once, and after a draw that is under way', async () => {
  const { drawn, loop } = player(3, 10);
  loop.redraw();
  expect(drawn).toEqual([0, 0]);
  const draws: (() => void)[] = [];
  const slow = new LoopPlayer({
    frames: 3,
    fps: 10,
    clock: new TestClock(),
    draw: () => new Promise<void>((resolve) => draws.push(resolve)),
  });
  slow.redraw();
  slow.redraw();
  expect(draws).toHaveLength(1);
  draws[0]?.();
  await vi.waitFor(() => expect(draws).toHaveLength(2));
  draws[1]?.();
  await Promise.resolve();
  expect(draws).toHaveLength(2);
});

test('a refresh exactly at the boundary shows the new frame', () => {
  const { clock, drawn, loop } = player(1000, 12);
  loop.play();
  for (let i = 1; i < 1000; i++) {
    clock.advance(1000 + (i * 1000) / 12 - clock.time);
    expect(drawn.at(-1)).toBe(i);
  }
});

test('a late refresh skips frames instead of slowing down', () => {
  const { clock, drawn, loop } = player(10, 10);
  loop.play();
  clock.advance(350);
  clock.advance(100);
  expect(drawn).toEqual([0, 3, 4]);
});

test('pause keeps the frame and play goes on from it', () => {
  const { clock, drawn, loop } = player(10, 10);
  loop.play();
  clock.advance(250);
  loop.pause();
  expect(clock.waiting).toBeNull();
  clock.advance(10_000);
  expect(drawn.at(-1)).toBe(2);
  loop.play();
  loop.play(); // A second time changes nothing.
  clock.advance(110);
  expect(drawn).toEqual([0, 2, 3]);
});

test('turning pauses, and goes round in both directions', () => {
  const { clock, drawn, loop } = player(3, 10);
  loop.play();
  clock.advance(110);
  loop.turn(1);
  expect(clock.waiting).toBeNull();
  for (const by of [1, -1, -5, 0]) loop.turn(by);
  expect([drawn, loop.index]).toEqual([[0, 1, 2, 0, 2, 0], 0]);
  loop.turn(2);
  loop.play();
  clock.advance(110);
  expect(drawn.slice(-2)).toEqual([2, 0]); // On from there.
});

test('begins with the frame that it is given', () => {
  const drawn: number[] = [];
  const clock = new TestClock();
  const loop = new LoopPlayer({ frames: 5, fps: 10, from: 3, clock, draw: (index) => void drawn.push(index) });
  loop.play();
  clock.advance(110);
  expect(drawn).toEqual([3, 4]);
});

test('a clock that goes back shows frame 0, not a frame that does not exist', () => {
  const { clock, drawn, loop } = player(3, 10);
  loop.play();
  clock.advance(-500);
  expect(drawn.at(-1)).toBe(0);
});

test('where drawing is slower than the clip frames are skipped, and after a pause none follow', async () => {
  const clock = new TestClock();
  const drawn: number[] = [];
  let finish = () => {};
  const draw = (index: number) => {
    drawn.push(index);
    return new Promise<void>((resolve) => {
      finish = resolve;
    });
  };
  const loop = new LoopPlayer({ frames: 8, fps: 10, clock, draw });
  const settle = async () => {
    finish();
    await new Promise((resolve) => setTimeout(resolve));
  };
  await settle();
  loop.play();
  for (let i = 0; i < 4; i++) clock.advance(100);
  expect(drawn).toEqual([0, 1]);
  await settle();
  clock.advance(100);
  expect(drawn).toEqual([0, 1, 5]);
  clock.advance(100);
  loop.pause();
  expect(loop.index).toBe(5); // Not the one that time had gone on to.
  await settle();
  expect(drawn).toEqual([0, 1, 5]);
  loop.turn(1);
  loop.turn(1);
  loop.turn(1);
  await settle();
  expect(drawn).toEqual([0, 1, 5, 6, 0]); // Of those turned to meanwhile the last.
});

test('no frames, or no speed, is refused', () => {
  expect(() => player(0, 12)).toThrow('frames is 0');
  expect(() => player(1.5, 12)).toThrow('frames is 1.5');
  expect(() => player(3, 0)).toThrow('fps is 0');
});

test('the system clock uses animation frames where there are any, else a timer', async () => {
  const cancelled: number[] = [];
  vi.stubGlobal('requestAnimationFrame', (callback: () => void) => {
    callback();
    return 7;
  });
  vi.stubGlobal('cancelAnimationFrame', (handle: number) => cancelled.push(handle));
  let calls = 0;
  systemClock().request(() => calls++)();
  expect([calls, cancelled]).toEqual([1, [7]]);

  vi.unstubAllGlobals();
  const timer = systemClock();
  const before = timer.now();
  await new Promise<void>((resolve) => timer.request(resolve));
  expect(timer.now()).toBeGreaterThan(before);
  timer.request(() => expect.fail('was taken back'))();
  await new Promise((resolve) => setTimeout(resolve, 40));
});
