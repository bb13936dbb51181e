// Runs the self-check where the engine runs: in a dedicated worker.
import { checkCapture } from '../../src/media/selfcheck';

const adapter = await navigator.gpu.requestAdapter();
const device = await adapter!.requestDevice();
const result = await checkCapture(device);
device.destroy();
postMessage({ ...result, animationFrames: typeof requestAnimationFrame });
