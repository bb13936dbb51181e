// From nothing to the first denoiser step, in a thread of its own: runtime, weights, shaders, one run. And the GPU memory
// that this takes at its peak. Weights come from the page's own server on both sides. Results are checked where steps are timed
// (cases.ts), not here.
import { openGpu } from '../../gpu/open';
import { randomValues } from '../data';
import type { ColdRuntime } from '../protocol';
import type { ArmResult } from '../result';
import { type Counters, openSharedDevice, Readback } from '../runtimes/device';
import { loadOrt, onDevice } from '../runtimes/ort';
import { prepareOurs } from '../runtimes/ours';
import { timingOf } from '../statistics';
import { graph, openModel, weightFile } from './files';
import { randomStepPlan } from './plans';

/** Latent frames of the step: those of denoiser_step.onnx. */
const frames = 9;

/** The time counts from the creation of this thread. */
export async function coldStart(runtime: ColdRuntime, modelUrl: string, counters: Counters): Promise<ArmResult> {
  const weightBytes = runtime === 'flipbook' ? await ours(modelUrl) : await onnxruntime(modelUrl);
  return {
    runtime,
    kind: runtime === 'flipbook' ? 'ours' : 'as written',
    how: runtime === 'flipbook' ? 'the engine' : 'denoiser_step.onnx',
    milliseconds: timingOf([performance.now()]),
    dispatches: counters.dispatches,
    peakGpuBytes: counters.peakBytes,
    ...(weightBytes && { weightBytes }),
  };
}

/** @returns bytes of the step's weights */
async function ours(modelUrl: string): Promise<number> {
  const gpu = await openGpu();
  const model = await openModel(gpu, modelUrl, { cache: null });
  const prepared = await prepareOurs(gpu, randomStepPlan(model, frames), { sliced: true });
  await prepared.run();
  await prepared.wait();
  return prepared.program.stats.weightBytes - prepared.uploadBytes;
}

async function onnxruntime(modelUrl: string): Promise<undefined> {
  const { device } = await openSharedDevice();
  const { api } = await loadOrt(device);
  const session = await api.InferenceSession.create(await graph('denoiser_step'), {
    executionProviders: [onDevice(device)],
    preferredOutputLocation: 'gpu-buffer',
    graphOptimizationLevel: 'all',
    externalData: await weightFile(modelUrl, 'denoiser.safetensors'),
  });
  const feeds = session.inputMetadata.map((about) => {
    if (!about.isTensor) throw new Error(`${about.name} is no tensor`);
    const shape = about.shape.map((extent) => (typeof extent === 'number' ? extent : frames));
    return [about.name, new api.Tensor('float32', randomValues(shape), shape)] as const;
  });
  await session.run(Object.fromEntries(feeds));
  await new Readback(device).wait();
}
