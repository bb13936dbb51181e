// Runs in the browser that clip.test.ts starts: makes a clip as the engine does, by whichever path the self-check chose.
import { GpuCanvas } from '../../src/media/canvas';
import { Mp4Sink } from '../../src/media/mp4';
import { toPng } from '../../src/media/pixels';
import { checkCapture, type SelfCheck } from '../../src/media/selfcheck';
import { frameTiming } from '../../src/media/sink';
import { patches, sticker } from './art';
import { sampleMetadata } from './samples';

export interface PageClip {
  readonly check: SelfCheck;
  /** What a VideoFrame of a canvas cleared to red really holds, without our code. */
  readonly red: number[];
  readonly base64: string;
  /** A still, in base64 too. */
  readonly png: string;
}

export async function makeClip(size: number, count: number, fps: number): Promise<PageClip> {
  const check = await checkCapture();
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  const offscreen = new OffscreenCanvas(size, size);
  const { path } = check;
  const canvas = new GpuCanvas(device, offscreen, { path, alpha: false, usage: GPUTextureUsage.COPY_DST });
  const sink = await Mp4Sink.open({ width: size, height: size, fps, metadata: sampleMetadata });
  for (let i = 0; i < count; i++) {
    const { data } = i === 0 ? patches(size) : sticker(size, i / count);
    if (canvas.format === 'bgra8unorm') {
      for (let p = 0; p < data.length; p += 4) [data[p], data[p + 2]] = [data[p + 2]!, data[p]!];
    }
    device.queue.writeTexture({ texture: canvas.texture() }, data, { bytesPerRow: size * 4 }, [size, size]);
    await sink.add(await canvas.capture(frameTiming(i, fps)));
  }
  const { blob } = await sink.close();
  const red = await plainRed(device);
  device.destroy();
  const png = await base64(await toPng(patches(64), sampleMetadata));
  return { check, red, base64: await base64(blob), png };
}

async function base64(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

async function plainRed(device: GPUDevice): Promise<number[]> {
  const canvas = new OffscreenCanvas(32, 32);
  const context = canvas.getContext('webgpu') as unknown as GPUCanvasContext;
  context.configure({ device, format: 'rgba8unorm', alphaMode: 'opaque' });
  const view = context.getCurrentTexture().createView();
  const encoder = device.createCommandEncoder();
  encoder
    .beginRenderPass({ colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store', clearValue: [1, 0, 0, 1] }] })
    .end();
  device.queue.submit([encoder.finish()]);
  const frame = new VideoFrame(canvas, { timestamp: 0 });
  const data = new Uint8Array(32 * 32 * 4);
  await frame.copyTo(data, { format: 'RGBA' });
  frame.close();
  return [...data.subarray(0, 3)];
}
