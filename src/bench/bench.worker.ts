// One task of the bench in a thread of its own. It draws nothing; what it finds it posts to the page.
import type { Gpu } from '../gpu/device';
import type { BenchCase, Context } from './case';
import { measureCeilings } from './ceilings';
import { spatialCases, temporalCases } from './kernels/attention';
import { convCases } from './kernels/conv3d';
import { linearCases } from './kernels/linear';
import { normCases } from './kernels/norm';
import { samplingCases } from './kernels/sampling';
import { tokenCases } from './kernels/tokens';
import { inOneLine, type MeasureOptions, measureCase, paces } from './measure';
import { decode, denoiserStep, frameCases } from './model/cases';
import { coldStart } from './model/cold-start';
import { openModel } from './model/files';
import { countPrograms } from './model/programs';
import { tuneModel } from './model/tuning';
import { predictions } from './predict';
import type { BenchEvent, TaskMessage } from './protocol';
import type { Group, Machine } from './result';
import { Counters, openSharedGpu } from './runtimes/device';
import { loadJax } from './runtimes/jax';
import { loadOrt } from './runtimes/ort';
import { loadTfjs } from './runtimes/tfjs';

const post = (event: BenchEvent): void => self.postMessage(event);

self.addEventListener('message', ({ data }: MessageEvent<TaskMessage>) => {
  perform(data)
    .catch((error) => post({ type: 'failure', text: inOneLine(error) }))
    .finally(() => post({ type: 'end' }));
});

async function perform({ task, modelUrl, large }: TaskMessage): Promise<void> {
  const counters = new Counters();
  if (task.kind === 'cold_start') {
    post({ type: 'cold', arm: await coldStart(task.runtime, modelUrl, counters) });
    return;
  }
  const gpu = await openSharedGpu();
  if (task.kind === 'adapter') {
    post({ type: 'adapter', machine: machineOf(gpu), ceilings: await measureCeilings(gpu) });
    return;
  }
  const tell = (text: string): void => post({ type: 'line', text });
  if (task.kind === 'tune') {
    post({ type: 'tuned', tuning: await tuneModel(gpu, modelUrl, task.seconds, tell) });
    return;
  }
  const options: MeasureOptions = {
    gpu,
    counters,
    pace: paces[gpu.isSoftware ? 'software' : 'hardware'],
    tell,
  };
  const context = contextOf(gpu, large);
  if (task.group === 'frames' || task.group === 'denoiser_step' || task.group === 'decode') {
    await wholeModel(task.group, context, modelUrl, options);
    return;
  }
  const cases = kernelCases(task.group, context);
  for (const bench of task.quick ? cases.slice(0, 1) : cases) {
    post({ type: 'line', text: `${bench.name} (${bench.source})` });
    post({ type: 'case', result: await measureCase(bench, options) });
  }
}

function kernelCases(group: Group, context: Context): BenchCase[] {
  switch (group) {
    case 'conv3d':
      return convCases(context);
    case 'temporal_attention':
      return temporalCases(context);
    case 'spatial_attention':
      return spatialCases(context);
    case 'group_norm_silu':
      return normCases(context);
    case 'linear':
      return linearCases(context);
    case 'other_kernels':
      return [...tokenCases(context), ...samplingCases(context)];
    default:
      throw new TypeError(`${group} is no group of kernels`);
  }
}

async function wholeModel(
  group: 'frames' | 'denoiser_step' | 'decode',
  context: Context,
  modelUrl: string,
  options: MeasureOptions,
): Promise<void> {
  const model = await openModel(context.gpu, modelUrl);
  if (group === 'frames') {
    const plans = countPrograms(model);
    post({ type: 'counted', plans, predictions: predictions(plans) });
    await frameCases(context, model, options, (result) => post({ type: 'case', result }));
    return;
  }
  const record = group === 'decode' ? decode : denoiserStep;
  const bench = await record(context, model, modelUrl);
  const result = await measureCase(bench, options);
  try {
    post({ type: 'case', result: { ...result, ...(bench.profile && { profile: await bench.profile() }) } });
  } catch (error) {
    post({ type: 'case', result });
    throw error;
  }
}

/** Peers load once, when the first arm needs them. */
function contextOf(gpu: Gpu, large: boolean): Context {
  const lazily = <T>(load: () => Promise<T>) => {
    let loading: Promise<T> | undefined;
    return () => {
      loading ??= load();
      return loading;
    };
  };
  return {
    gpu,
    large,
    ort: lazily(() => loadOrt(gpu.device)),
    tfjs: lazily(() => loadTfjs(gpu.device)),
    jax: lazily(loadJax),
  };
}

function machineOf({ adapterName, isSoftware, device }: Gpu): Machine {
  return {
    adapter: adapterName,
    isSoftware,
    features: [...device.features].sort(),
    userAgent: navigator.userAgent,
    threads: navigator.hardwareConcurrency,
  };
}
