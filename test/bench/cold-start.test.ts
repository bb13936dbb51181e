// What the peer's cold start is charged with: its own work, and nothing that our engine finds out about a device. No GPU.
import { afterEach, expect, test, vi } from 'vitest';
import { coldStart } from '../../src/bench/model/cold-start';
import type { Counters } from '../../src/bench/runtimes/device';
import * as layout from '../../src/gpu/subgroup-layout';

const { create } = vi.hoisted(() => ({ create: vi.fn() }));
vi.mock('../../src/bench/runtimes/ort', () => ({
  loadOrt: async () => ({ api: { InferenceSession: { create } } }),
  onDevice: (device: unknown) => device,
}));
vi.mock('../../src/bench/model/files', () => ({ graph: async () => 'a graph', weightFile: async () => [] }));

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A device with subgroups that gives buffers and takes copies. */
function fakeDevice() {
  const buffer = { mapAsync: async () => undefined, unmap: () => undefined };
  return Object.assign(new EventTarget(), {
    features: new Set(['subgroups']),
    limits: {},
    lost: new Promise(() => undefined),
    queue: { submit: () => undefined },
    createBuffer: () => buffer,
    createCommandEncoder: () => ({ copyBufferToBuffer: () => undefined, finish: () => undefined }),
  });
}

test('onnxruntime gets a device with subgroups whose layout nobody has looked at', async () => {
  const device = fakeDevice();
  const adapter = { features: device.features, limits: {}, info: {}, requestDevice: async () => device };
  vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => adapter } });
  vi.stubGlobal('GPUBufferUsage', { COPY_SRC: 4, COPY_DST: 8, MAP_READ: 1 });
  vi.stubGlobal('GPUMapMode', { READ: 1 });
  const look = vi.spyOn(layout, 'hasConsecutiveSubgroups').mockResolvedValue(true);
  const run = vi.fn();
  create.mockResolvedValue({ inputMetadata: [], run });
  await coldStart('onnxruntime-web', '/model/', { dispatches: 0, peakBytes: 0 } as unknown as Counters);
  expect(create).toHaveBeenCalledWith('a graph', expect.objectContaining({ executionProviders: [device] }));
  expect(run).toHaveBeenCalledOnce();
  expect(look).not.toHaveBeenCalled();
});
