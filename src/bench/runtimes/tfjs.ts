// Arms of TensorFlow.js with its WebGPU backend, on our device.

import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Prepared } from '../case';
import { Readback } from './device';

export interface Tfjs {
  readonly tf: typeof import('@tensorflow/tfjs-core');
  readonly device: GPUDevice;
}

export async function loadTfjs(device: GPUDevice): Promise<Tfjs> {
  const tf = await import('@tensorflow/tfjs-core');
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  // The package registers a backend with a device of its own; its kernels are registered for this name.
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, device.adapterInfo));
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs does not take the WebGPU device');
  await tf.ready();
  return { tf, device };
}

export interface TfjsInput {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** @param compute is wrapped in `tidy`: only its result lives on */
export function prepareTfjs(
  { tf, device }: Tfjs,
  inputs: readonly TfjsInput[],
  compute: (...tensors: Tensor[]) => Tensor,
): Prepared {
  const tensors = inputs.map(({ shape, data }) => tf.tensor(data, [...shape], 'float32'));
  const readback = new Readback(device);
  let last: Tensor | undefined;
  return {
    run: () => {
      const result = tf.tidy(() => compute(...tensors));
      last?.dispose();
      last = result;
    },
    wait: () => {
      // It gathers dispatches and submits them by fifteens: what is left goes now.
      const backend = tf.backend() as WebGPUBackend;
      backend.ensureCommandEncoderReady();
      backend.endComputePassEncoder();
      backend.submitQueue();
      return readback.wait();
    },
    output: async () => ((await last?.data()) as Float32Array | undefined) ?? new Float32Array(),
    dispose: () => {
      last?.dispose();
      for (const tensor of tensors) tensor.dispose();
    },
  };
}
