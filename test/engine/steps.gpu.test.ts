// What one step costs besides its dispatches: nothing is allocated, bound or compiled for it. Not its results or its time.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Stage } from '../../src/engine/stage';
import { type Engine, generate, openEngine } from '../../src/generate';
import { modelUrl, options } from '../generate/tiny';

let engine: Engine;

beforeAll(async () => {
  engine = await openEngine({ canvas: new OffscreenCanvas(1, 1), modelUrl });
});

afterAll(() => {
  vi.restoreAllMocks();
  engine?.dispose();
});

/** Everything that a device makes and that a step could make again and again, by the name of its method. */
function watch(device: GPUDevice): string[] {
  const made: string[] = [];
  const names = Object.getOwnPropertyNames(GPUDevice.prototype).filter((name) => /^create/.test(name));
  for (const name of names) {
    const original: unknown = Reflect.get(device, name);
    if (typeof original !== 'function' || name === 'createCommandEncoder') continue; // no command buffer can be used twice
    Object.defineProperty(device, name, {
      value: (...args: unknown[]) => {
        made.push(name);
        return original.apply(device, args);
      },
    });
  }
  return made;
}

test('after the first one, a step with its preview makes no buffer, texture, bind group, shader or pipeline', async () => {
  const made = watch(engine.gpu.device);
  const windows: { readonly made: readonly string[]; readonly bytes: number }[] = [];
  const first: string[] = [];
  const step = Stage.prototype.step;
  vi.spyOn(Stage.prototype, 'step').mockImplementation(function (this: Stage, index, signal) {
    // From the beginning of the step before to here: that step, its preview and its drawing.
    const since = made.splice(0);
    if (index > 1) windows.push({ made: since, bytes: engine.gpu.bytesInUse });
    else first.push(...since);
    return step.call(this, index, signal);
  });
  const steps = 5;
  for await (const event of generate(engine, { ...options, steps })) if (event.type === 'done') break;
  expect(first).toEqual(expect.arrayContaining(['createBuffer', 'createBindGroup', 'createComputePipelineAsync']));
  expect(windows).toHaveLength(2 * (steps - 2)); // of the picture, and of the clip
  for (const window of windows) expect(window).toEqual({ made: [], bytes: windows[0]!.bytes });
});
