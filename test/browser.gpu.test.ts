// What the tests' browser must be able to do before any other test means something: compute, encode, and hand a WebGPU
// canvas to WebCodecs without a copy through the CPU. Nothing of the page runs here.
import { expect, test } from 'vitest';

async function requestDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('no WebGPU adapter');
  return adapter.requestDevice();
}

test('a compute shader runs', async () => {
  const device = await requestDevice();
  const code = `
    @group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { out[id.x] = id.x * id.x; }`;
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const out = device.createBuffer({ size: 256, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const back = device.createBuffer({ size: 256, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: out } }],
    }),
  );
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(out, 0, back, 0, 256);
  device.queue.submit([encoder.finish()]);
  await back.mapAsync(GPUMapMode.READ);
  expect([...new Uint32Array(back.getMappedRange())]).toEqual(Array.from({ length: 64 }, (_, i) => i * i));
  device.destroy();
});

test('H.264 encodes', async () => {
  const chunks: EncodedVideoChunk[] = [];
  const errors: DOMException[] = [];
  const encoder = new VideoEncoder({ output: (chunk) => chunks.push(chunk), error: (error) => errors.push(error) });
  encoder.configure({ codec: 'avc1.42001f', width: 128, height: 128, bitrate: 1e6, framerate: 24 });
  for (let i = 0; i < 3; i++) {
    const frame = new VideoFrame(new Uint8Array(128 * 128 * 4).fill(60 * i), {
      format: 'RGBA',
      codedWidth: 128,
      codedHeight: 128,
      timestamp: (i * 1e6) / 24,
      duration: 1e6 / 24,
    });
    encoder.encode(frame);
    frame.close();
  }
  await encoder.flush();
  encoder.close();
  expect(errors).toEqual([]);
  expect(chunks.map((chunk) => chunk.type)).toEqual(['key', 'delta', 'delta']);
});

test('a VideoFrame of a WebGPU canvas has the right pixels', async () => {
  const device = await requestDevice();
  const canvas = new OffscreenCanvas(64, 64);
  const context = canvas.getContext('webgpu')!;
  context.configure({ device, format: 'rgba8unorm', alphaMode: 'opaque' });
  const encoder = device.createCommandEncoder();
  encoder
    .beginRenderPass({
      colorAttachments: [
        {
          view: context.getCurrentTexture().createView(),
          loadOp: 'clear',
          storeOp: 'store',
          clearValue: { r: 0.2, g: 0.6, b: 1, a: 1 },
        },
      ],
    })
    .end();
  device.queue.submit([encoder.finish()]);
  const frame = new VideoFrame(canvas, { timestamp: 0 });
  const pixels = new Uint8Array(frame.allocationSize({ format: 'RGBA' }));
  await frame.copyTo(pixels, { format: 'RGBA' });
  frame.close();
  expect([...pixels.subarray(0, 4)]).toEqual([51, 153, 255, 255]);
  device.destroy();
});
