// Frames of the finished clip with their transparency, as pixels: for files that keep it. The canvas that is shown is Screen's.
import type { Gpu } from '../gpu/device';
import { GpuCanvas } from '../media/canvas';
import type { Pixels } from '../media/pixels';
import { Presenter } from '../ops/present';
import type { FrameRef } from './decoding';

export class Cutout {
  readonly #canvas: GpuCanvas;
  readonly #presenter: Presenter;

  private constructor(canvas: GpuCanvas, presenter: Presenter) {
    this.#canvas = canvas;
    this.#presenter = presenter;
  }

  static async open(gpu: Gpu): Promise<Cutout> {
    const canvas = new GpuCanvas(gpu.device, new OffscreenCanvas(1, 1), { path: 'readback', alpha: true });
    const options = { output: 'premultiplied' } as const;
    return new Cutout(canvas, await Presenter.create(gpu, canvas.format, options));
  }

  /** @param side pixels of the square that the frame is scaled to @returns straight alpha */
  read({ tensor: frames, index }: FrameRef, side: number): Promise<Pixels> {
    Object.assign(this.#canvas.canvas, { width: side, height: side });
    this.#presenter.draw(this.#canvas.texture(), { frames, index });
    return this.#canvas.read();
  }

  dispose(): void {
    this.#canvas.dispose();
    this.#presenter.dispose();
  }
}
