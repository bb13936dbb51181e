// Draws one frame of [B, T, H, W, 4] into a texture: scaled, and composited or left transparent. Not a canvas: src/media has that.
import { PRESENT_UNIFORM_BYTES, type PresentOptions, present } from '../../shaders/present.wgsl';
import type { Gpu } from '../gpu/device';
import { compile } from '../gpu/pipelines';
import { bindingBytes, type Tensor } from '../gpu/tensor';
import { formatTensor } from './check';

export type { PresentOptions };

export interface PresentFrame {
  /** Premultiplied RGBA f32 [B, T, H, W, 4], about 0..1 (clamped), in a buffer of its own (`plan.input`). */
  readonly frames: Tensor;
  /** Which of the B·T frames. */
  readonly index: number;
  /** Red, green, blue in 0..1, used by 'opaque'. Default black. */
  readonly background?: readonly [number, number, number];
}

/** A render pipeline with its uniform, for textures of one format. The frame is stretched over the whole texture, bilinearly. */
export class Presenter {
  readonly #gpu: Gpu;
  readonly #pipeline: GPURenderPipeline;
  readonly #uniform: GPUBuffer;
  readonly #values = new ArrayBuffer(PRESENT_UNIFORM_BYTES);
  readonly #words = new Uint32Array(this.#values);
  readonly #floats = new Float32Array(this.#values);
  /** Frames are drawn from the same few tensors, and a tensor's memory never changes. */
  readonly #bindGroups = new WeakMap<Tensor, GPUBindGroup>();

  private constructor(gpu: Gpu, pipeline: GPURenderPipeline) {
    this.#gpu = gpu;
    this.#pipeline = pipeline;
    this.#uniform = gpu.createBuffer(
      PRESENT_UNIFORM_BYTES,
      GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      'present uniform',
    );
  }

  /** @throws FlipbookError 'shader' where this GPU does not take it, and as `Gpu.check` */
  static async create(gpu: Gpu, format: GPUTextureFormat, options: PresentOptions): Promise<Presenter> {
    return new Presenter(gpu, await compilePresent(gpu.device, format, options));
  }

  /** Draws and submits, so that each frame has its own uniform values. The texture needs RENDER_ATTACHMENT. */
  draw(texture: GPUTexture, { frames, index, background = [0, 0, 0] }: PresentFrame): void {
    const [batch = 0, time = 0, height = 0, width = 0] = frames.shape;
    if (frames.shape.length !== 5 || frames.shape[4] !== 4 || frames.dtype !== 'f32') {
      throw new TypeError(
        `present: frames is ${formatTensor(frames)}, expected [B, T, H, W, 4] f32; decode latents first`,
      );
    }
    if (!Number.isInteger(index) || index < 0 || index >= batch * time) {
      throw new RangeError(`present: frame ${index}, expected a whole number from 0 to ${batch * time - 1}`);
    }
    const bindGroup = this.#bindGroup(frames);
    this.#words.set([index, width, height]);
    this.#floats.set([texture.width, texture.height, 0, 0, ...background, 1], 4);
    this.#gpu.device.queue.writeBuffer(this.#uniform, 0, this.#values);
    this.#gpu.submit('present', (encoder) => {
      const pass = encoder.beginRenderPass({
        colorAttachments: [{ view: texture.createView(), loadOp: 'clear', storeOp: 'store' }],
      });
      pass.setPipeline(this.#pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.draw(3);
      pass.end();
    });
  }

  dispose(): void {
    this.#gpu.freeBuffer(this.#uniform);
  }

  #bindGroup(frames: Tensor): GPUBindGroup {
    const known = this.#bindGroups.get(frames);
    if (known) return known;
    const { storage } = frames;
    if (storage.kind !== 'buffer') {
      throw new TypeError(
        `present: frames ${formatTensor(frames)} has no buffer of its own; make it with plan.input()`,
      );
    }
    const bindGroup = this.#gpu.device.createBindGroup({
      label: 'present',
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer: storage.buffer, offset: storage.offset, size: bindingBytes(frames) } },
        { binding: 1, resource: { buffer: this.#uniform } },
      ],
    });
    this.#bindGroups.set(frames, bindGroup);
    return bindGroup;
  }
}

function compilePresent(
  device: GPUDevice,
  format: GPUTextureFormat,
  options: PresentOptions,
): Promise<GPURenderPipeline> {
  const label = `present ${options.output}`;
  return compile(device, { label, code: present(options) }, (module) =>
    device.createRenderPipelineAsync({
      label,
      layout: 'auto',
      vertex: { module, entryPoint: 'vertexMain' },
      fragment: { module, entryPoint: 'fragmentMain', targets: [{ format }] },
    }),
  );
}
