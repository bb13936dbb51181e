// Arms of jax-js with its WebGPU backend. It opens a device of its own, on the same adapter.
import type { Array as JaxArray } from '@jax-js/jax';
import { nudged } from '../../gpu/nudge';
import type { Prepared } from '../case';
import { Readback } from './device';

export interface Jax {
  readonly api: typeof import('@jax-js/jax');
}

export async function loadJax(): Promise<Jax> {
  const api = await import('@jax-js/jax');
  const devices = await api.init('webgpu');
  if (!devices.includes('webgpu')) throw new Error(`jax-js offers ${devices.join(', ') || 'no device'}, not WebGPU`);
  api.defaultDevice('webgpu');
  return { api };
}

export interface JaxInput {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** @param compute is compiled by `jit`; like every function of jax-js it consumes its arguments */
export async function prepareJax(
  { api }: Jax,
  inputs: readonly JaxInput[],
  compute: (...arrays: JaxArray[]) => JaxArray,
  arrange: (result: Float32Array) => Float32Array = (result) => result,
): Promise<Prepared> {
  const arrays = inputs.map(({ shape, data }) =>
    api.numpy.array(data as Float32Array<ArrayBuffer>, { shape: [...shape] }),
  );
  await api.blockUntilReady(arrays);
  const compiled = api.jit(compute);
  const device: GPUDevice = api.getWebGPUDevice();
  const readback = new Readback(device);
  // Results are computed when they are asked for: one that is disposed of before would never be.
  let results: JaxArray[] = [];
  const settle = async (): Promise<void> => {
    await nudged(device.queue, api.blockUntilReady(results));
    for (const result of results.slice(0, -1)) result.dispose();
    results = results.slice(-1);
  };
  return {
    run: () => {
      results.push(compiled(...arrays.map((array) => array.ref)));
    },
    wait: async () => {
      await settle();
      await readback.wait();
    },
    output: async () => arrange(Float32Array.from((await results.at(-1)!.ref.data()) as Float32Array)),
    dispose: () => {
      for (const array of [...arrays, ...results]) array.dispose();
      compiled.dispose();
    },
  };
}
