// The canvas of the engine: draws a frame over a background, and gives it as a video frame or as pixels.
// It decides no timing and keeps no frames.
import type { Gpu } from '../gpu/device';
import { type Canvas, type CapturePath, GpuCanvas } from '../media/canvas';
import { type Pixels, rgb } from '../media/pixels';
import type { FrameTiming } from '../media/sink';
import { Presenter } from '../ops/present';
import type { FrameRef } from './decoding';

/** Pixels of a side. Frames are shown and encoded larger than they are made: encoders and players do badly with tiny ones. */
const side = 512;

export class Screen {
  readonly width = side;
  readonly height = side;
  /** A clip in the making shows itself here: the finished one keeps still meanwhile. */
  isTaken = false;
  readonly #canvas: GpuCanvas;
  readonly #presenter: Presenter;

  private constructor(canvas: GpuCanvas, presenter: Presenter) {
    this.#canvas = canvas;
    this.#presenter = presenter;
  }

  static async open(gpu: Gpu, path: CapturePath, target: Canvas = new OffscreenCanvas(side, side)): Promise<Screen> {
    target.width = side;
    target.height = side;
    const canvas = new GpuCanvas(gpu.device, target, { path, alpha: false });
    return new Screen(canvas, await Presenter.create(gpu, canvas.format, { output: 'opaque' }));
  }

  /** Draws into the canvas's texture. `show`, `capture` or `read` must follow in the same task. @param background `#rrggbb` */
  draw({ tensor: frames, index }: FrameRef, background: string): void {
    this.#presenter.draw(this.#canvas.texture(), { frames, index, background: rgb(background) });
  }

  /** Shows what this task has drawn. */
  show(): Promise<void> {
    return this.#canvas.show();
  }

  /** Shows what this task has drawn and gives it as a frame, which the caller closes. */
  capture(timing: FrameTiming): Promise<VideoFrame> {
    return this.#canvas.capture(timing);
  }

  /** What this task has drawn. */
  read(): Promise<Pixels> {
    return this.#canvas.read();
  }

  dispose(): void {
    this.#canvas.dispose();
    this.#presenter.dispose();
  }
}
