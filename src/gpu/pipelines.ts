// Compute pipelines by source, with explicit bind group layouts. It allocates no buffers.
import { FlipbookError, lossOr, messageOf } from './errors';
import type { Kernel } from './kernel';

export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  get size(): number {
    return this.#pipelines.size;
  }

  get(kernel: Kernel): Promise<GPUComputePipeline> {
    const key = pipelineKey(kernel);
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) {
      pipeline = this.#compile(kernel);
      this.#pipelines.set(key, pipeline);
      // A failure is not kept: the next request tries again and tells again.
      pipeline.catch(() => this.#pipelines.delete(key));
    }
    return pipeline;
  }

  /** Explicit, not 'auto': 'auto' drops the bindings that a shader variant leaves unused. */
  bindGroupLayout(kernel: Pick<Kernel, 'access' | 'params'>): GPUBindGroupLayout {
    const key = layoutKey(kernel);
    let layout = this.#layouts.get(key);
    if (!layout) {
      const entries: GPUBindGroupLayoutEntry[] = kernel.access.map((access, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
      }));
      if (kernel.params.length > 0) {
        entries.push({
          binding: kernel.access.length,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: 'uniform', minBindingSize: kernel.params.length * 4 },
        });
      }
      layout = this.#device.createBindGroupLayout({ label: key, entries });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  #compile(kernel: Kernel): Promise<GPUComputePipeline> {
    const { label } = kernel;
    const layout = this.#device.createPipelineLayout({ bindGroupLayouts: [this.bindGroupLayout(kernel)] });
    return compile(this.#device, kernel, (module) =>
      this.#device.createComputePipelineAsync({ label, layout, compute: { module, entryPoint: 'main' } }),
    );
  }
}

/**
 * A pipeline of one module; `create` makes it.
 * @throws FlipbookError 'shader' with the lines at fault where it does not compile, 'device-lost' where the device is gone
 */
export async function compile<Pipeline>(
  device: GPUDevice,
  { label, code }: { readonly label: string; readonly code: string },
  create: (module: GPUShaderModule) => Promise<Pipeline>,
): Promise<Pipeline> {
  // The scope keeps a bad module's error from the page's uncaptured errors: it is told below, with its line.
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label, code });
  const scope = device.popErrorScope().catch(() => null); // rejects where the device is lost, which `create` shows
  try {
    const pipeline = await create(module);
    await scope;
    return pipeline;
  } catch (cause) {
    const reason = await lossOr(device.lost, cause);
    if (reason !== cause) throw reason;
    const lines = await explain(code, module, cause);
    throw new FlipbookError('shader', `The shader ${label} does not compile:\n${lines}`, { cause });
  }
}

/** Kernels with one key are one pipeline. */
export function pipelineKey(kernel: Kernel): string {
  return `${layoutKey(kernel)}\n${kernel.code}`;
}

function layoutKey(kernel: Pick<Kernel, 'access' | 'params'>): string {
  const bindings = kernel.access.map((access) => (access === 'read' ? 'r' : 'w')).join('');
  return `${bindings}${kernel.params.length > 0 ? kernel.params.length : ''}`;
}

/** Line, column and source line of each compile error; the pipeline's own message where the module is fine. */
async function explain(code: string, module: GPUShaderModule, cause: unknown): Promise<string> {
  const { messages } = await module.getCompilationInfo();
  const lines = code.split('\n');
  const errors = messages
    .filter((message) => message.type === 'error')
    .map(({ lineNum, linePos, message }) => {
      const source = lines[lineNum - 1] ?? '';
      return `${lineNum}:${linePos} ${message}\n  ${source}\n  ${' '.repeat(Math.max(0, linePos - 1))}^`;
    });
  if (errors.length > 0) return errors.join('\n');
  return messageOf(cause);
}
