// Draws on a canvas of the page from a worker, captures the frames, and plays a loop of two colours: as the engine does.
import { type CapturePath, GpuCanvas } from '../../src/media/canvas';
import { LoopPlayer } from '../../src/media/player';
import { frameTiming } from '../../src/media/sink';

const adapter = await navigator.gpu.requestAdapter();
const device = await adapter!.requestDevice();
const colors = [
  [1, 0, 0, 1],
  [0, 0, 1, 1],
];

addEventListener('message', async ({ data }: MessageEvent<{ canvas: OffscreenCanvas; path: CapturePath }>) => {
  const canvas = new GpuCanvas(device, data.canvas, { path: data.path, alpha: false });
  const draw = (index: number) => {
    const encoder = device.createCommandEncoder();
    const view = canvas.texture().createView();
    const clearValue = colors[index]!;
    encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store', clearValue }] }).end();
    device.queue.submit([encoder.finish()]);
  };
  const captured: number[][] = [];
  for (let i = 0; i < 2; i++) {
    draw(i);
    const frame = await canvas.capture(frameTiming(i, 12));
    const pixels = new Uint8Array(frame.allocationSize({ format: 'RGBA' }));
    await frame.copyTo(pixels, { format: 'RGBA' });
    frame.close();
    captured.push([...pixels.subarray(0, 4)]);
  }
  postMessage({ captured });
  const player = new LoopPlayer({
    frames: 2,
    fps: 4,
    draw: (index) => {
      draw(index);
      void canvas.show();
    },
  });
  player.play();
});
postMessage('ready');
