// Arms of onnxruntime-web: its native WebGPU execution provider on our device, and its WASM one on the CPU.

import wasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import type { InferenceSession } from 'onnxruntime-web/webgpu';
import { nudged } from '../../gpu/nudge';
import { sizeOf } from '../../gpu/tensor';
import type { Arm, Context, Prepared } from '../case';
import type { OnnxValue } from '../onnx';
import type { ArmKind } from '../result';
import { Readback } from './device';

export interface Ort {
  readonly api: typeof import('onnxruntime-web/webgpu');
  readonly device: GPUDevice;
}

export async function loadOrt(device: GPUDevice): Promise<Ort> {
  const api = await import('onnxruntime-web/webgpu');
  api.env.logLevel = 'error';
  api.env.wasm.wasmPaths = { wasm: wasmUrl };
  // One thread: more would need workers from blobs, which the page's policy forbids.
  api.env.wasm.numThreads = 1;
  return { api, device };
}

/** The WebGPU provider on a given device, with the layout in which its convolutions are fastest. */
export function onDevice(device: GPUDevice): InferenceSession.WebGpuExecutionProviderOption {
  return { name: 'webgpu', device, preferredLayout: 'NHWC' };
}

export interface OrtInput extends OnnxValue {
  readonly data: Float32Array;
}

export interface OrtRun {
  readonly model: Uint8Array;
  readonly inputs: readonly OrtInput[];
  readonly output: OnnxValue;
  /** Brings the result to the reference's layout. */
  readonly arrange?: (result: Float32Array) => Float32Array;
  readonly externalData?: readonly { readonly path: string; readonly data: Uint8Array }[];
}

type MakeRun = () => OrtRun | Promise<OrtRun>;

/** On the GPU. */
export function ortArm(context: Context, kind: ArmKind, how: string, run: MakeRun): Arm {
  const prepare = async () => prepareOrtGpu(await context.ort(), await run());
  return { runtime: 'onnxruntime-web', kind, how, prepare };
}

/** On the CPU, for the record. */
export function ortCpuArm(context: Context, how: string, run: MakeRun): Arm {
  const prepare = async () => prepareOrtWasm(await context.ort(), await run());
  return { runtime: 'onnxruntime-web wasm', kind: 'record', how: `${how}, CPU, one thread`, prepare };
}

/** As written, on both. */
export function ortArms(context: Context, how: string, run: MakeRun): Arm[] {
  return [ortArm(context, 'as written', how, run), ortCpuArm(context, how, run)];
}

/** Inputs and the output lie in GPU buffers of ours, so that nothing is copied between runs. */
async function prepareOrtGpu({ api, device }: Ort, run: OrtRun): Promise<Prepared> {
  const { model, inputs, output, arrange = (result) => result } = run;
  const buffers: GPUBuffer[] = [];
  const tensorIn = ({ shape }: OnnxValue, data?: Float32Array) => {
    const bytes = 16 * Math.ceil(sizeOf(shape) / 4);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = device.createBuffer({ label: 'ort', size: bytes, usage });
    if (data) device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    buffers.push(buffer);
    return { buffer, tensor: api.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: shape }) };
  };
  const session = await api.InferenceSession.create(model, {
    ...sessionOptions(run),
    executionProviders: [onDevice(device)],
    preferredOutputLocation: 'gpu-buffer',
  });
  const feeds = Object.fromEntries(inputs.map((input) => [input.name, tensorIn(input, input.data).tensor]));
  const result = tensorIn(output);
  const readback = new Readback(device);
  return {
    run: async () => {
      await session.run(feeds, { [output.name]: result.tensor });
    },
    wait: () => readback.wait(),
    output: async () => arrange(await readFloats(device, result.buffer, sizeOf(output.shape))),
    dispose: () => {
      void session.release();
      for (const buffer of buffers) buffer.destroy();
    },
  };
}

export async function prepareOrtWasm({ api }: Ort, run: OrtRun): Promise<Prepared> {
  const { model, inputs, output, arrange = (result) => result } = run;
  const session = await api.InferenceSession.create(model, { ...sessionOptions(run), executionProviders: ['wasm'] });
  const feeds = Object.fromEntries(
    inputs.map(({ name, shape, data }) => [name, new api.Tensor('float32', data, shape)]),
  );
  let last: Float32Array | undefined;
  return {
    run: async () => {
      last = (await session.run(feeds))[output.name]!.data as Float32Array;
    },
    wait: () => Promise.resolve(),
    output: async () => arrange(last ?? new Float32Array()),
    dispose: () => void session.release(),
  };
}

function sessionOptions({ externalData }: OrtRun): InferenceSession.SessionOptions {
  return { graphOptimizationLevel: 'all', ...(externalData && { externalData: [...externalData] }) };
}

async function readFloats(device: GPUDevice, buffer: GPUBuffer, count: number): Promise<Float32Array> {
  const staging = device.createBuffer({
    size: buffer.size,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await nudged(device.queue, staging.mapAsync(GPUMapMode.READ));
  const result = new Float32Array(staging.getMappedRange().slice(0)).slice(0, count);
  staging.destroy();
  return result;
}
