// The pipeline on damaged files and a lost device: words, never a frame.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { PRESENT_UNIFORM_BYTES } from '../../shaders/present.wgsl';
import type { GenerateEvent } from '../../src/events';
import { type Engine, generate, openEngine } from '../../src/generate';
import { FlipbookError } from '../../src/gpu/errors';
import { GpuCanvas } from '../../src/media/canvas';
import { sha256 } from '../../src/sha256';
import { all, done, modelUrl, nameOf, short } from './tiny';

/** An engine that is given these files in place of the model's own. */
async function withFiles(files: Readonly<Record<string, BodyInit>>): Promise<Engine> {
  const replaced: typeof fetch = async (input, init) => {
    const file = files[nameOf(input)];
    return file === undefined ? fetch(input, { ...init, cache: 'no-store' }) : new Response(file);
  };
  return openEngine({ modelUrl, fetch: replaced });
}

async function failure(other: Engine): Promise<unknown> {
  try {
    for await (const _event of generate(other, short));
    throw new Error('it did not fail');
  } catch (error) {
    return error;
  } finally {
    other.dispose();
  }
}

const { createBuffer } = GPUDevice.prototype;
afterEach(async () => {
  await caches.delete('flipbook-tuning'); // where it is remembered that a driver refuses features
  GPUDevice.prototype.createBuffer = createBuffer;
  vi.restoreAllMocks();
});

/** Submits what the GPU refuses: a copy of a buffer onto itself. */
function submitRefused({ gpu }: Engine): void {
  const buffer = gpu.device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST });
  gpu.submit('refused', (encoder) => encoder.copyBufferToBuffer(buffer, 0, buffer, 0, 16));
}

test('a command that the GPU refuses ends that clip, and the next one goes well', async () => {
  const engine = await openEngine({ modelUrl });
  const failsAfter = async (isMoment: (event: GenerateEvent) => boolean) => {
    for await (const event of generate(engine, { ...short, steps: 8 })) {
      if (isMoment(event)) submitRefused(engine);
    }
  };
  const isStep = (event: GenerateEvent) => event.type === 'step' && event.index === 1;
  const isLastFrame = (event: GenerateEvent) => event.type === 'frame' && event.index === event.of;
  for (const isMoment of [isStep, isLastFrame]) {
    await expect(failsAfter(isMoment)).rejects.toMatchObject({ code: 'shader' });
    expect(done(await all(engine, short)).video).not.toBeNull();
  }
  engine.dispose();
});

test('no file is made of a finished clip where the GPU refuses a command; the next try goes well', async () => {
  const engine = await openEngine({ modelUrl });
  await all(engine, short);
  const clip = engine.clip!;
  const files: readonly (() => Promise<unknown>)[] = [
    () => clip.still(),
    () => clip.pixels(0, 16),
    () => clip.animation({ kind: 'apng', side: 16 }),
    () => clip.record(new AbortController().signal, () => undefined),
  ];
  for (const make of files) {
    submitRefused(engine); // It is told of while the file is made.
    await expect(make()).rejects.toMatchObject({ code: 'shader' });
    expect(await make()).toBeDefined();
  }
  engine.busy = true; // Beside a clip in the making, the failure is that one's too: nobody lets go of it.
  submitRefused(engine);
  for (let i = 0; i < 2; i++) await expect(clip.pixels(0, 16)).rejects.toMatchObject({ code: 'shader' });
  engine.busy = false;
  expect(await clip.pixels(0, 16)).toBeDefined();
  const late = clip.record(
    new AbortController().signal,
    (recorded) => recorded === clip.frames && submitRefused(engine),
  );
  await expect(late).rejects.toMatchObject({ code: 'shader' });
  engine.dispose();
});

test('a driver that refuses kernels with the features that it offers gets those without', async () => {
  const engine = await openEngine({ modelUrl });
  const { device } = engine.gpu;
  expect(engine.gpu.features.subgroups).toBe(true);
  const refused = new Set<GPUShaderModule>();
  const createShaderModule = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => {
    const module = createShaderModule(descriptor);
    if (descriptor.code.includes('enable subgroups')) refused.add(module);
    return module;
  };
  const createPipeline = device.createComputePipelineAsync.bind(device);
  let told: Promise<void> | undefined;
  device.createComputePipelineAsync = async (descriptor) => {
    if (!refused.has(descriptor.compute.module)) return createPipeline(descriptor);
    if (!told) {
      submitRefused(engine); // A command is refused, too, which no call tells of.
      told = engine.gpu.idle();
    }
    await told;
    throw new Error('refused on purpose');
  };
  expect(done(await all(engine, short)).video).not.toBeNull();
  expect(refused.size).toBeGreaterThan(0);
  engine.dispose();
  await vi.waitFor(async () => {
    const next = await openEngine({ modelUrl });
    next.dispose();
    expect(next.gpu.features.subgroups).toBe(false); // That is remembered.
  });
});

test('a weight that finds no room is told as such, and is loaded again once there is room', async () => {
  const engine = await openEngine({ modelUrl });
  const { device } = engine.gpu;
  let refused = 0;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    if (refused || !descriptor.label?.startsWith('denoiser.safetensors')) return createBuffer.call(this, descriptor);
    refused++;
    // What a full GPU does: an invalid buffer, and an error in the scope.
    createBuffer.call(this, { ...descriptor, size: 2 ** 52, mappedAtCreation: false });
    return createBuffer.call(this, descriptor);
  };
  const pushErrorScope = device.pushErrorScope.bind(device);
  device.pushErrorScope = (filter) => pushErrorScope(filter === 'out-of-memory' ? 'validation' : filter);
  const before = engine.gpu.bytesInUse;
  await expect(all(engine, short)).rejects.toMatchObject({ code: 'out-of-memory' });
  expect(refused).toBe(1);
  expect(engine.gpu.bytesInUse).toBe(before); // No weight is left that a retry would take for good.
  expect(done(await all(engine, short)).video).not.toBeNull();
  engine.dispose();
});

/** Makes buffers of this label find no room, until the answer is called. */
function fillUp({ gpu: { device } }: Engine, label: string): () => void {
  let isFull = true;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    // An invalid buffer: what is written to it is refused, and no call tells of that.
    const size = isFull && descriptor.label?.endsWith(label) ? 2 ** 52 : descriptor.size;
    return createBuffer.call(this, { ...descriptor, size });
  };
  const pushErrorScope = device.pushErrorScope.bind(device);
  device.pushErrorScope = (filter) => pushErrorScope(filter === 'out-of-memory' ? 'validation' : filter);
  return () => {
    isFull = false;
  };
}

test('a constant that finds no room is told as such, costs no features, and fits once there is room', async () => {
  const engine = await openEngine({ modelUrl });
  const { device, features } = engine.gpu;
  expect(features.subgroups).toBe(true);
  const refusals: string[] = [];
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault();
    refusals.push(event.error.message);
  });
  const makeRoom = fillUp(engine, 'flags');
  const full = { code: 'out-of-memory', message: expect.stringContaining('flags') };
  await expect(all(engine, short)).rejects.toMatchObject(full);
  await vi.waitFor(() => expect(refusals).not.toEqual([]));
  expect(engine.gpu.features).toEqual(features);
  makeRoom();
  expect(done(await all(engine, short)).video).not.toBeNull();
  expect(engine.gpu.features).toEqual(features);
  engine.dispose();
});

test('kernels that are refused where there is no room cost no features', async () => {
  const engine = await openEngine({ modelUrl });
  const { device, features } = engine.gpu;
  fillUp(engine, 'frames of the clip');
  device.createComputePipelineAsync = () => Promise.reject(new Error('no room for it'));
  const full = { code: 'out-of-memory', message: expect.stringContaining('frames of the clip') };
  await expect(all(engine, short)).rejects.toMatchObject(full);
  expect(engine.gpu.features).toEqual(features);
  engine.dispose();
});

describe('with one engine', () => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await openEngine({ modelUrl });
  });

  afterAll(() => engine?.dispose());

  // The first one here: what it asks for is made once.
  test('pixels of a clip that find no room are there at the next try, and made room for once', async () => {
    await all(engine, short);
    const clip = engine.clip!;
    const before = engine.gpu.bytesInUse;
    const ask = () => Promise.allSettled([clip.pixels(0, 16), clip.pixels(1, 16)]);
    let refused = 0;
    GPUDevice.prototype.createBuffer = function (descriptor) {
      if (refused++ > 0) return createBuffer.call(this, descriptor);
      throw new RangeError(`no room for ${descriptor.label}`);
    };
    const full = { status: 'rejected', reason: { code: 'out-of-memory' } };
    expect(await ask()).toMatchObject([full, full]);
    expect(refused).toBe(1);
    const there = { status: 'fulfilled', value: { width: 16, height: 16 } };
    expect(await ask()).toMatchObject([there, there]);
    expect(engine.gpu.bytesInUse - before).toBe(PRESENT_UNIFORM_BYTES);
  });

  test('no room for a frame on its way to the video is told, and is not a clip without a video', async () => {
    const full = () => {
      const error = new FlipbookError('out-of-memory', 'The GPU has no room to read a frame: on purpose');
      vi.spyOn(GpuCanvas.prototype, 'capture').mockRejectedValueOnce(error);
    };
    full();
    await expect(all(engine, short)).rejects.toMatchObject({ code: 'out-of-memory' });
    expect(done(await all(engine, short)).video).not.toBeNull();
    const record = () => engine.clip!.record(new AbortController().signal, () => undefined);
    full();
    await expect(record()).rejects.toMatchObject({ code: 'out-of-memory' });
    expect((await record()).video).not.toBeNull();
  });

  test('a clip that another took the place of draws nothing any more', async () => {
    await all(engine, short);
    const old = engine.clip!;
    await all(engine, short);
    const submit = vi.spyOn(engine.gpu.device.queue, 'submit');
    await old.show(0);
    const files = [await old.still(), await old.pixels(0, 16), await old.animation({ kind: 'apng', side: 16 })];
    expect(files).toEqual([undefined, undefined, undefined]);
    expect(submit).not.toHaveBeenCalled();
    expect(await engine.clip!.still()).toBeDefined();
  });
});

test('a weight that is no number gives an error, never a frame', async () => {
  const file = await (await fetch(`${modelUrl}denoiser.safetensors`)).arrayBuffer();
  const header = Number(new DataView(file).getBigUint64(0, true));
  const tensors = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 8, header)));
  const [from, to]: [number, number] = tensors['conv_out.bias'].data_offsets;
  new Uint8Array(file).fill(0x7e, 8 + header + from, 8 + header + to); // 0x7e7e is a NaN in fp16
  const manifest = await (await fetch(`${modelUrl}model.json`)).json();
  manifest.modules.denoiser.sha256 = await sha256(file);
  const other = await withFiles({ 'denoiser.safetensors': file, 'model.json': JSON.stringify(manifest) });
  const error = await failure(other);
  expect(error).toMatchObject({ code: 'numbers' });
  expect(String(error)).toContain('not a number');
});

test('a manifest of something else is refused', async () => {
  const other = await withFiles({ 'model.json': '{}' });
  expect(await failure(other)).toMatchObject({ code: 'weights' });
});

test('a lost device ends the clip in words; a new engine on the same canvas goes on', async () => {
  const canvas = new OffscreenCanvas(1, 1);
  let engine = await openEngine({ canvas, modelUrl });
  const running = (async () => {
    for await (const event of generate(engine, short)) if (event.type === 'step') engine.gpu.device.destroy();
  })();
  await expect(running).rejects.toMatchObject({ code: 'device-lost' });
  engine.dispose();
  engine = await openEngine({ canvas, modelUrl });
  expect(done(await all(engine, short)).video).not.toBeNull();
  engine.dispose();
});
