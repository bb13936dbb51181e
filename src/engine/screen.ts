// The canvas of the engine: draws a frame over a background, and gives it as a video frame or a picture.
// It decides no timing and keeps no frames.
import { PRESENT_UNIFORM_BYTES, present } from '../../shaders/present.wgsl';
import type { Gpu } from '../gpu/device';
import { bindingBytes } from '../gpu/tensor';
import { type Canvas, type CapturePath, GpuCanvas } from '../media/canvas';
import { toPng } from '../media/pixels';
import type { FrameTiming } from '../media/sink';
import type { FrameRef } from './decoding';

/** Pixels of a side. Frames are shown and encoded larger than they are made: encoders and players do badly with tiny ones. */
const side = 512;

export class Screen {
  readonly width = side;
  readonly height = side;
  readonly #gpu: Gpu;
  readonly #canvas: GpuCanvas;
  readonly #pipeline: GPURenderPipeline;
  readonly #uniform: GPUBuffer;
  /** What was drawn last, while its memory is there. */
  #last: { readonly frame: FrameRef; readonly background: string } | undefined;

  constructor(gpu: Gpu, path: CapturePath, canvas: Canvas = new OffscreenCanvas(side, side)) {
    canvas.width = side;
    canvas.height = side;
    this.#gpu = gpu;
    this.#canvas = new GpuCanvas(gpu.device, canvas, { path, alpha: false });
    const module = gpu.device.createShaderModule({
      label: 'present',
      code: present({ sampling: 'bilinear', output: 'opaque' }),
    });
    this.#pipeline = gpu.device.createRenderPipeline({
      label: 'present',
      layout: 'auto',
      vertex: { module, entryPoint: 'vertexMain' },
      fragment: { module, entryPoint: 'fragmentMain', targets: [{ format: this.#canvas.format }] },
    });
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    this.#uniform = gpu.createBuffer(PRESENT_UNIFORM_BYTES, usage, 'present uniform');
  }

  /** Draws into the canvas's texture. `show` or `capture` must follow in the same task. @param background `#rrggbb` */
  draw(frame: FrameRef, background: string): void {
    const { device } = this.#gpu;
    const { storage, shape } = frame.tensor;
    if (storage.kind !== 'buffer') throw new TypeError('draw: the frame has no buffer of its own');
    const [, , height, width] = shape as [number, number, number, number];
    const uniform = new ArrayBuffer(PRESENT_UNIFORM_BYTES);
    new Uint32Array(uniform).set([frame.index, width, height]);
    new Float32Array(uniform, 16).set([side, side, 0, 0, ...rgb(background), 1]);
    device.queue.writeBuffer(this.#uniform, 0, uniform);
    const { buffer, offset } = storage;
    const bindGroup = device.createBindGroup({
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer, offset, size: bindingBytes(frame.tensor) } },
        { binding: 1, resource: { buffer: this.#uniform } },
      ],
    });
    const encoder = device.createCommandEncoder({ label: 'present' });
    const view = this.#canvas.texture().createView();
    const pass = encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store' }] });
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.draw(3);
    pass.end();
    device.queue.submit([encoder.finish()]);
    this.#last = { frame, background };
  }

  /** Shows what this task has drawn. */
  show(): Promise<void> {
    return this.#canvas.show();
  }

  /** Shows what this task has drawn and gives it as a frame, which the caller closes. */
  capture(timing: FrameTiming): Promise<VideoFrame> {
    return this.#canvas.capture(timing);
  }

  /** What was drawn last, as a PNG; the bare background colour of the canvas before anything was. */
  async still(): Promise<Blob> {
    if (this.#last) this.draw(this.#last.frame, this.#last.background);
    return toPng(await this.#canvas.read());
  }

  /** Lets go of the frame drawn last, whose memory is about to be freed. What is on the canvas stays. */
  forget(): void {
    this.#last = undefined;
  }

  dispose(): void {
    this.forget();
    this.#canvas.dispose();
    this.#gpu.freeBuffer(this.#uniform);
  }
}

/** `#rrggbb` as numbers in 0..1. */
function rgb(color: string): [number, number, number] {
  const value = Number.parseInt(color.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}
