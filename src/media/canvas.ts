// A WebGPU canvas as a source of video frames and pixels. What is drawn on it is somebody else's business.
import { FlipbookError } from '../gpu/errors';
import { type Pixels, pictureFrame, unpremultiply, videoFrame } from './pixels';
import type { FrameTiming } from './sink';

export type Canvas = OffscreenCanvas | HTMLCanvasElement;

/** 'zero-copy': the browser shares the texture with the encoder. 'readback': through our memory, right everywhere. */
export type CapturePath = 'zero-copy' | 'readback';

export interface CanvasOptions {
  /** True: premultiplied alpha shows what lies behind the canvas. False: alpha counts as 1, as video needs. */
  readonly alpha: boolean;
  /** Texture usage beyond RENDER_ATTACHMENT and COPY_SRC. */
  readonly usage?: GPUTextureUsageFlags;
}

/**
 * A canvas bound to a device. In one task: draw into `texture()`, submit, then `capture` or `read`; the browser takes
 * the texture back when the task ends, so the first thing that both do, before any wait, is to take what is drawn.
 */
export class GpuCanvas {
  readonly canvas: Canvas;
  readonly format: GPUTextureFormat;
  readonly #device: GPUDevice;
  readonly #context: GPUCanvasContext;
  readonly #alpha: boolean;

  constructor(device: GPUDevice, canvas: Canvas, options: CanvasOptions) {
    const context = canvas.getContext('webgpu') as GPUCanvasContext | null;
    if (!context) throw new FlipbookError('no-webgpu', 'This canvas cannot be drawn on with WebGPU.');
    this.#device = device;
    this.#context = context;
    this.#alpha = options.alpha;
    this.canvas = canvas;
    this.format = navigator.gpu.getPreferredCanvasFormat();
    context.configure({
      device,
      format: this.format,
      alphaMode: options.alpha ? 'premultiplied' : 'opaque',
      colorSpace: 'srgb',
      usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC | (options.usage ?? 0),
    });
  }

  /** What this task draws on. */
  texture(): GPUTexture {
    return this.#context.getCurrentTexture();
  }

  /**
   * What was drawn in this task, as a frame that the caller closes. By 'readback' the frame of an opaque canvas is
   * already in the colours of video; of one with alpha it is RGBA.
   */
  async capture(path: CapturePath, timing: FrameTiming): Promise<VideoFrame> {
    if (path === 'zero-copy')
      return new VideoFrame(this.canvas, { ...timing, alpha: this.#alpha ? 'keep' : 'discard' });
    const pixels = await this.read();
    return this.#alpha ? pictureFrame(pixels, timing) : videoFrame(pixels, timing);
  }

  /** The pixels drawn in this task. Throws FlipbookError 'device-lost' when the GPU went away meanwhile. */
  async read(): Promise<Pixels> {
    const { width, height } = this.canvas;
    const device = this.#device;
    const bytesPerRow = Math.ceil((width * 4) / 256) * 256; // WebGPU copies whole units of 256 bytes
    const buffer = device.createBuffer({
      label: 'canvas readback',
      size: bytesPerRow * height,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    try {
      const encoder = device.createCommandEncoder();
      encoder.copyTextureToBuffer({ texture: this.texture() }, { buffer, bytesPerRow }, [width, height]);
      device.queue.submit([encoder.finish()]);
      await buffer.mapAsync(GPUMapMode.READ).catch((cause) => {
        throw new FlipbookError('device-lost', 'The GPU went away while a frame was read.', { cause });
      });
      const rows = new Uint8Array(buffer.getMappedRange());
      const data = new Uint8ClampedArray(width * height * 4);
      for (let y = 0; y < height; y++) {
        data.set(rows.subarray(y * bytesPerRow, y * bytesPerRow + width * 4), y * width * 4);
      }
      if (this.format === 'bgra8unorm') swapRedAndBlue(data);
      if (this.#alpha) unpremultiply(data);
      else makeOpaque(data);
      return { width, height, data };
    } finally {
      buffer.destroy();
    }
  }

  dispose(): void {
    this.#context.unconfigure();
  }
}

function swapRedAndBlue(data: Uint8ClampedArray): void {
  for (let i = 0; i < data.length; i += 4) {
    const blue = data[i]!;
    data[i] = data[i + 2]!;
    data[i + 2] = blue;
  }
}

function makeOpaque(data: Uint8ClampedArray): void {
  for (let i = 3; i < data.length; i += 4) data[i] = 255;
}
