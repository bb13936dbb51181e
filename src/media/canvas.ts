// The canvas that shows frames and the source of video frames and pixels. What is drawn is somebody else's business.
import { FlipbookError, lossOr } from '../gpu/errors';
import { nudged } from '../gpu/nudge';
import { type Pixels, pictureFrame, unpremultiply, videoFrame } from './pixels';
import type { FrameTiming } from './sink';

export type Canvas = OffscreenCanvas | HTMLCanvasElement;

/**
 * 'zero-copy': a WebGPU canvas, which the browser shares with the encoder. 'readback': a texture of our own, whose
 * pixels go through memory to a 2D canvas and to the encoder. The self-check knows which one is right in this browser.
 */
export type CapturePath = 'zero-copy' | 'readback';

export interface CanvasOptions {
  readonly path: CapturePath;
  /** True: premultiplied alpha shows what lies behind the canvas. False: alpha counts as 1, as video needs. */
  readonly alpha: boolean;
  /** Texture usage beyond RENDER_ATTACHMENT and COPY_SRC. */
  readonly usage?: GPUTextureUsageFlags;
}

type Surface =
  | { readonly path: 'zero-copy'; readonly context: GPUCanvasContext }
  | { readonly path: 'readback'; readonly context: Context2D; texture: GPUTexture | null };
type Context2D = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;

/** A canvas has one kind of context for ever: where another is needed, only another canvas helps. */
export class CanvasTaken extends Error {
  constructor(path: CapturePath) {
    super(`This canvas has no context for ${path}: it was opened for something else before`);
    this.name = 'CanvasTaken';
  }
}

/**
 * A canvas bound to a device. In one task: draw premultiplied RGBA into `texture()`, submit, then `show`, `capture` or
 * `read`, each of which first takes what is drawn and only then waits: the browser takes the texture back when the
 * task ends. A canvas stays on the path that it was first opened with; on a new device it may be opened again.
 *
 * Rejects with FlipbookError 'device-lost' when the GPU goes away while pixels are read, and with 'out-of-memory' when it has no
 * room for them.
 */
export class GpuCanvas {
  readonly canvas: Canvas;
  readonly format: GPUTextureFormat;
  readonly #device: GPUDevice;
  readonly #surface: Surface;
  readonly #alpha: boolean;
  readonly #usage: GPUTextureUsageFlags;
  /** What pixels were read through, for the next time. */
  readonly #staging: GPUBuffer[] = [];

  constructor(device: GPUDevice, canvas: Canvas, { path, alpha, usage = 0 }: CanvasOptions) {
    this.canvas = canvas;
    this.#device = device;
    this.#alpha = alpha;
    this.#usage = GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC | usage;
    if (path === 'readback') {
      this.format = 'rgba8unorm';
      this.#surface = { path, context: canvas.getContext('2d', { alpha }) as Context2D, texture: null };
    } else {
      this.format = navigator.gpu.getPreferredCanvasFormat();
      this.#surface = { path, context: canvas.getContext('webgpu') as GPUCanvasContext };
    }
    const { context } = this.#surface;
    if (!context) throw new CanvasTaken(path);
    if (this.#surface.path === 'zero-copy') {
      const alphaMode = alpha ? 'premultiplied' : 'opaque';
      this.#surface.context.configure({ device, format: this.format, alphaMode, usage: this.#usage });
    }
  }

  /** What this task draws on: RGBA premultiplied, as large as the canvas. */
  texture(): GPUTexture {
    const surface = this.#surface;
    if (surface.path === 'zero-copy') return surface.context.getCurrentTexture();
    const { width, height } = this.canvas;
    if (surface.texture?.width !== width || surface.texture.height !== height) {
      surface.texture?.destroy();
      const { format } = this;
      surface.texture = this.#device.createTexture({
        label: 'frame',
        size: [width, height],
        format,
        usage: this.#usage,
      });
    }
    return surface.texture;
  }

  /** Shows what was drawn in this task. */
  async show(): Promise<void> {
    if (this.#surface.path === 'readback') this.#put(await this.read());
  }

  /**
   * Shows what was drawn in this task and gives it as a frame, which the caller closes. By 'readback' the frame of an
   * opaque canvas is already in the colours of video; of one with alpha it is RGBA.
   */
  async capture(timing: FrameTiming): Promise<VideoFrame> {
    if (this.#surface.path === 'zero-copy') {
      try {
        return new VideoFrame(this.canvas, { ...timing });
      } catch {
        // The browser has nothing to share at the moment: then the pixels go through memory.
      }
    }
    const pixels = await this.read();
    this.#put(pixels);
    return this.#alpha ? pictureFrame(pixels, timing) : videoFrame(pixels, timing);
  }

  /** The pixels drawn in this task. */
  async read(): Promise<Pixels> {
    const { width, height } = this.canvas;
    const bytesPerRow = Math.ceil((width * 4) / 256) * 256; // WebGPU copies whole units of 256 bytes
    this.#device.pushErrorScope('out-of-memory');
    const buffer = this.#takeStaging(bytesPerRow * height);
    const full = this.#device.popErrorScope().catch(() => null); // The device is lost, which `#reason` tells.
    const encoder = this.#device.createCommandEncoder();
    encoder.copyTextureToBuffer({ texture: this.texture() }, { buffer, bytesPerRow }, [width, height]);
    this.#device.queue.submit([encoder.finish()]);
    await nudged(this.#device.queue, buffer.mapAsync(GPUMapMode.READ)).catch(async (cause) => {
      buffer.destroy();
      throw await this.#reason(cause, await full);
    });
    const rows = new Uint8Array(buffer.getMappedRange());
    const data = new Uint8ClampedArray(width * height * 4);
    for (let y = 0; y < height; y++) {
      data.set(rows.subarray(y * bytesPerRow, y * bytesPerRow + width * 4), y * width * 4);
    }
    buffer.unmap();
    this.#staging.push(buffer);
    if (this.format === 'bgra8unorm') swapRedAndBlue(data);
    if (this.#alpha) unpremultiply(data);
    else makeOpaque(data);
    return { width, height, data };
  }

  /** A buffer that no other read is using: reads overlap where a frame is taken before the one before it has arrived. */
  #takeStaging(size: number): GPUBuffer {
    const idle = this.#staging.pop();
    if (idle?.size === size) return idle;
    idle?.destroy();
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    return this.#device.createBuffer({ label: 'canvas readback', size, usage });
  }

  dispose(): void {
    for (const buffer of this.#staging.splice(0)) buffer.destroy();
    if (this.#surface.path === 'zero-copy') this.#surface.context.unconfigure();
    else {
      this.#surface.texture?.destroy();
      this.#surface.texture = null;
    }
  }

  /** Why pixels did not come. */
  async #reason(cause: unknown, full: GPUError | null): Promise<unknown> {
    if (full) {
      return new FlipbookError('out-of-memory', `The GPU has no room to read a frame: ${full.message}`, { cause });
    }
    return lossOr(this.#device.lost, cause);
  }

  #put({ width, height, data }: Pixels): void {
    if (this.#surface.path === 'readback') this.#surface.context.putImageData(new ImageData(data, width, height), 0, 0);
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
