// Runs the self-check where the engine runs: in a dedicated worker.
import { checkCapture } from '../../src/media/selfcheck';

const result = await checkCapture();
postMessage({ ...result, animationFrames: typeof requestAnimationFrame });
