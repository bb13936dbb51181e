// What the engine keeps of programs that fail to compile: weights, and the memory of a refusal. No GPU: a made-up one whose
// allocations and kernels go as told.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Engine, type ProgramShape } from '../../src/engine/engine';
import * as loading from '../../src/engine/model';
import type { Screen } from '../../src/engine/screen';
import type { Gpu } from '../../src/gpu/device';
import { FlipbookError } from '../../src/gpu/errors';
import * as remembered from '../../src/gpu/remembered';

vi.mock('../../src/engine/decoding'); // programs that record and compile nothing
beforeEach(() => void vi.restoreAllMocks());

const full = new FlipbookError('out-of-memory', 'no room for a weight');
const refused = new FlipbookError('shader', 'refused on purpose');
const shape: ProgramShape = {
  latentFrames: 1,
  pictureGuided: false,
  clipGuided: false,
  encoder: undefined,
  drawn: false,
};

/** An engine with a model. @param settled what becomes of allocations and commands, one time after the other: then all is well */
async function engineWith(settled: readonly FlipbookError[], refusedId?: string) {
  const left = [...settled];
  const gpu = {
    refused: refusedId,
    settled: async () => {
      const error = left.shift();
      if (error) throw error;
    },
    doWithoutFeatures: () => true,
    clearFailure: () => undefined,
  } as unknown as Gpu;
  const dispose = vi.fn();
  const loaded = { gpu, manifest: { latents: { timeFactor: 4 } }, dispose } as unknown as loading.LoadedModel;
  vi.spyOn(loading, 'loadModel').mockResolvedValue(loaded);
  const engine = new Engine(gpu, {} as Screen, { modelUrl: '/model/' });
  const model = await engine.model(new AbortController().signal, () => undefined);
  const compile = (signal = new AbortController().signal) => engine.programs(model, shape, signal, () => undefined);
  return { compile, dispose };
}

describe('weights', () => {
  test.each([
    ['that found no room are let go of where the run is cancelled', [full], 1],
    ['stay where the run is cancelled and all have found room', [], 0],
  ])('%s', async (_, settled, times) => {
    const { compile, dispose } = await engineWith(settled);
    await expect(compile(AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    expect(dispose).toHaveBeenCalledTimes(times);
  });

  test('that found no room are why a kernel is refused', async () => {
    const { compile, dispose } = await engineWith([refused, full]);
    await expect(compile()).rejects.toBe(full);
    expect(dispose).toHaveBeenCalledOnce();
  });

  test('are let go of, too, where the failure is told once', async () => {
    const { compile, dispose } = await engineWith([full]);
    await expect(compile()).rejects.toBe(full);
    expect(dispose).toHaveBeenCalledOnce();
  });
});

describe('a second try without features that goes well', () => {
  test.each([
    ['is remembered after a refused kernel', 'an adapter', [['an adapter']]],
    ['is not remembered after a refused command', undefined, []],
  ])('%s', async (_, id, calls) => {
    const remember = vi.spyOn(remembered, 'rememberRefusal').mockResolvedValue();
    const { compile, dispose } = await engineWith([refused], id);
    await compile();
    expect(remember.mock.calls).toEqual(calls);
    expect(dispose).not.toHaveBeenCalled();
  });
});
