// How long a clip should take, from how long the last one took here. Before the first clip on an adapter nothing is known, and
// nothing is said.
import { type GenerateOptions, limits } from '../options';
import { drawnPictures } from '../scenes';

type Effort = Pick<GenerateOptions, 'prompt' | 'steps' | 'frames' | 'guidance' | 'picture' | 'redraw'>;

/**
 * Units of work: one denoised clip frame of one step is 1. Decoding a frame costs about two. Guidance doubles pictures, of which
 * every scene needs one, and a given one is there already. The fewest frames are decoded from a picture alone: no clip is denoised.
 */
export function work(effort: Effort): number {
  const { steps, frames, guidance } = effort;
  const drawing = drawnPictures(effort) * steps * 4 * (guidance === 1 ? 1 : 2);
  const moving = frames > limits.frames.multiple ? steps * frames : 0;
  return drawing + moving + 2 * frames;
}
