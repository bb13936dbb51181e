// Frames drawn into a texture and read back, against f64: every option, canvas sizes above, below and beside the frame's.
import { describe, expect, test } from 'vitest';
import { Presenter } from '../../src/ops/present';
import { randomValues, testGpu, upload } from '../gpu';
import * as reference from '../reference/present';

const [width, height, frameCount] = [6, 5, 3];
// About 0..1, and a little beyond on both sides.
const values = randomValues(frameCount * height * width * 4, 31).map((value) => 0.5 + 0.4 * value);
const background = [0.2, 0.6, 1] as const;

async function pixelsOf(device: GPUDevice, texture: GPUTexture): Promise<number[]> {
  const stride = Math.ceil((texture.width * 4) / 256) * 256;
  const buffer = device.createBuffer({
    size: stride * texture.height,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  });
  const encoder = device.createCommandEncoder();
  encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow: stride }, [texture.width, texture.height]);
  device.queue.submit([encoder.finish()]);
  await buffer.mapAsync(GPUMapMode.READ);
  const bytes = new Uint8Array(buffer.getMappedRange().slice(0));
  buffer.destroy();
  return Array.from({ length: texture.height }, (_, row) => [
    ...bytes.subarray(row * stride, row * stride + texture.width * 4),
  ]).flat();
}

describe.each(['opaque', 'premultiplied'] as const)('%s', (output) => {
  test.each([[[6, 5]], [[18, 15]], [[7, 64]], [[3, 2]], [[1, 1]]] as [canvas: [number, number]][])(
    'canvas %s',
    async (canvas) => {
      const gpu = await testGpu();
      gpu.device.pushErrorScope('validation');
      const usage = GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC;
      const texture = gpu.device.createTexture({ size: canvas, format: 'rgba8unorm', usage });
      const frames = upload(gpu, [1, frameCount, height, width, 4], values);
      const presenter = await Presenter.create(gpu, 'rgba8unorm', { output });
      for (const index of [2, 0]) {
        presenter.draw(texture, { frames, index, background });
        const size = height * width * 4;
        const frame = values.subarray(index * size, (index + 1) * size);
        const expected = reference.present({ frame, size: [width, height], canvas, output, background });
        const pixels = await pixelsOf(gpu.device, texture);
        expect(pixels.length).toBe(expected.length);
        const worst = Math.max(...pixels.map((value, i) => Math.abs(value - 255 * expected[i]!)));
        // Half a step of rounding and a little of f32.
        expect(worst).toBeLessThan(0.51);
      }
      presenter.dispose();
      gpu.free(frames);
      texture.destroy();
      expect((await gpu.device.popErrorScope())?.message).toBeUndefined();
    },
  );
});

test('says what is wrong with the frames', async () => {
  const gpu = await testGpu();
  const texture = gpu.device.createTexture({
    size: [2, 2],
    format: 'rgba8unorm',
    usage: GPUTextureUsage.RENDER_ATTACHMENT,
  });
  const presenter = await Presenter.create(gpu, 'rgba8unorm', { output: 'opaque' });
  const latents = upload(gpu, [1, 1, 2, 2, 3], randomValues(12));
  const frames = upload(gpu, [1, 1, 2, 2, 4], randomValues(16));
  expect(() => presenter.draw(texture, { frames: latents, index: 0 })).toThrow(
    /\[1, 1, 2, 2, 3\] f32, expected \[B, T/,
  );
  expect(() => presenter.draw(texture, { frames, index: 1 })).toThrow(/frame 1, expected .* 0 to 0/);
  for (const tensor of [latents, frames]) gpu.free(tensor);
  presenter.dispose();
  texture.destroy();
});

test('a pipeline that the GPU refuses is an error of ours, in words', async () => {
  const gpu = await testGpu();
  const refused = Presenter.create(gpu, 'rgba8uint', { output: 'opaque' });
  await expect(refused).rejects.toMatchObject({ code: 'shader', message: expect.stringContaining('present opaque') });
  gpu.check();
});
