// Which layouts of subgroups the kernels can rely on, and that a device with any other does without. No GPU: made-up layouts.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readyGpu } from '../../src/gpu/open';
import { Plan } from '../../src/gpu/plan';
import * as layout from '../../src/gpu/subgroup-layout';
import { virtualTensor } from '../../src/gpu/tensor';

const { isConsecutive } = layout;

/** 64 threads in subgroups of `size`; `at` is where a thread stands in the order that the kernels take for granted. */
function threadsOf(size: number, at: (local: number) => number = (local) => local) {
  const locals = Array.from({ length: 64 }, (_, local) => local);
  const subgroup = (local: number) => Math.floor(at(local) / size);
  return locals.map((local): layout.SubgroupThread => {
    const first = locals.find((other) => subgroup(other) === subgroup(local))!;
    return [at(local) % size, first];
  });
}

describe('a layout', () => {
  test.for([
    ['as small as the device says', threadsOf(8)],
    ['larger', threadsOf(32)],
    ['of one subgroup', threadsOf(64)],
    ['whose later threads come first, by whole eights', threadsOf(16, (local) => local ^ 8)],
  ] as const)('%s is taken', ([, threads]) => {
    expect(isConsecutive(threads, 8)).toBe(true);
  });

  test.for([
    ['of smaller subgroups than the device says', threadsOf(4)],
    ['that goes round the subgroups', threadsOf(8, (local) => (local % 8) * 8 + Math.floor(local / 8))],
    ['with neighbours swapped', threadsOf(8, (local) => local ^ 1)],
    ['backwards', threadsOf(8, (local) => 63 - local)],
    ['that is shifted by a thread', threadsOf(8, (local) => (local + 1) % 64)],
    [
      'in tiles of 2 × 4, as of pixels',
      threadsOf(8, (local) => (local & ~7) | ((local & 1) << 2) | ((local & 6) >> 1)),
    ],
    ['with two subgroups that number their threads as one', threadsOf(8).map(([id], i) => [id, i - (i % 4)] as const)],
  ] as const)('%s is not', ([, threads]) => {
    expect(isConsecutive(threads, 8)).toBe(false);
  });
});

describe('a device', () => {
  const info = { vendor: 'v', architecture: '', device: '', description: '' } as GPUAdapterInfo;
  const deviceWith = (...features: string[]) =>
    Object.assign(new EventTarget(), {
      features: new Set(features),
      limits: {},
      lost: new Promise(() => undefined),
    }) as unknown as GPUDevice;
  beforeEach(() => void vi.restoreAllMocks());
  afterEach(() => void vi.unstubAllGlobals());

  test('with the layout that the kernels need uses its subgroups', async () => {
    vi.spyOn(layout, 'hasConsecutiveSubgroups').mockResolvedValue(true);
    const { features } = await readyGpu(deviceWith('subgroups', 'shader-f16'), info);
    expect(features).toMatchObject({ subgroups: true, f16: true });
  });

  test('with another one does without them, and keeps the rest', async () => {
    vi.spyOn(layout, 'hasConsecutiveSubgroups').mockResolvedValue(false);
    const { features, id } = await readyGpu(deviceWith('subgroups', 'shader-f16'), info);
    expect(features).toMatchObject({ subgroups: false, f16: true });
    expect(id).not.toContain('subgroups'); // What was tuned with them is not used.
  });

  test('that refuses to tell does without them, and is used all the same', async () => {
    vi.stubGlobal('GPUOutOfMemoryError', class {});
    const device = deviceWith('subgroups', 'shader-f16');
    vi.spyOn(Plan.prototype, 'input').mockReturnValue(virtualTensor([512, 2], 'u32'));
    const compile = vi.spyOn(Plan.prototype, 'compile').mockImplementation(async () => {
      device.dispatchEvent(Object.assign(new Event('uncapturederror'), { error: { message: 'refused on purpose' } }));
      throw new Error('it does not compile');
    });
    const gpu = await readyGpu(device, info);
    expect(compile).toHaveBeenCalledOnce();
    expect(gpu.features).toMatchObject({ subgroups: false, f16: true });
    gpu.check(); // throws where it still holds what was refused
  });

  test('without subgroups is asked nothing', async () => {
    const look = vi.spyOn(layout, 'hasConsecutiveSubgroups');
    await readyGpu(deviceWith('shader-f16'), info);
    expect(look).not.toHaveBeenCalled();
  });
});
