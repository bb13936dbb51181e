// Tuning for the page: the kernels of its model, measured on this adapter and remembered in this browser.
import type { Gpu } from '../../gpu/device';
import { rememberChoices } from '../../gpu/remembered';
import { gpuMeasure, tune } from '../../ops/tune';
import type { TuningResult } from '../result';
import { openModel } from './files';
import { problemsOf } from './programs';

/** At most, where nobody says. A software renderer takes a second or more to compile one variant. */
const secondsFor = { hardware: 3, software: 60 } as const;

export async function tuneModel(
  gpu: Gpu,
  modelUrl: string,
  seconds: number = secondsFor[gpu.isSoftware ? 'software' : 'hardware'],
  tell?: (line: string) => void,
): Promise<TuningResult> {
  const model = await openModel(gpu, modelUrl);
  const { variants, ...tuning } = await tune(problemsOf(model), {
    measure: gpuMeasure(gpu),
    budget: 1000 * seconds,
    tell,
  });
  return { ...tuning, remembered: await rememberChoices(gpu.id, variants) };
}
