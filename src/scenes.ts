// A story: scenes in one prompt, and where each stands in the clip (Phenaki, Villegas et al. 2022, makes videos of a sequence
// of prompts). It draws nothing.
import type { GenerateOptions } from './options';

/**
 * `>`, `->` and `→` lead from one scene to the next; a `<word>`, the group, is passed over. Without lookbehind: Safari before 16.4
 * could not even read the page's script, which has to say what browser it takes.
 */
const separatorOrWord = /(<[^<>\s]*>)|[-=]*>|→/g;

export const sceneLimits = { most: 6, latentFrames: 2 } as const;

/** What each scene shows; a prompt without a story is one scene. Empty ones are kept, to be told of. */
export function scenesOf(prompt: string): readonly string[] {
  const scenes: string[] = [];
  let from = 0;
  for (const { 0: found, 1: word, index } of prompt.matchAll(separatorOrWord)) {
    if (word) continue;
    scenes.push(prompt.slice(from, index));
    from = index + found.length;
  }
  return [...scenes, prompt.slice(from)].map((scene) => scene.trim());
}

/** How many pictures come from words, in whole or in part: one for each scene, but for a given one that is kept whole. */
export function drawnPictures({
  prompt,
  picture,
  redraw,
}: Pick<GenerateOptions, 'prompt' | 'picture' | 'redraw'>): number {
  return scenesOf(prompt).length - (picture !== undefined && redraw === undefined ? 1 : 0);
}

/** What is wrong with a prompt as a story, and what to do. @param isKept a start picture is all that the first scene needs */
export function storyProblem(prompt: string, isKept: boolean): string | undefined {
  const scenes = scenesOf(prompt);
  const count = scenes.length;
  if (count > sceneLimits.most) {
    const [most, more] = [sceneLimits.most, count - sceneLimits.most];
    return `Prompt has ${count} scenes with “>” between them; at most ${most} make a clip. Take out ${more}.`;
  }
  const empty = scenes.findIndex((scene, i) => scene === '' && !(isKept && i === 0));
  if (empty < 0 || count === 1) return undefined;
  const meaning = '“>” leads from one scene to the next';
  return `Prompt says nothing for scene ${empty + 1} of ${count}: ${meaning}. Say what is there, or take out one “>”.`;
}

export interface Place {
  /** The latent frame that is the scene's picture. */
  readonly at: number;
  /** The frames that no scene is nearer to, that one included; of two as near, the earlier scene has it. */
  readonly near: readonly number[];
}

/** Where scenes stand in a loop, as far from each other as can be; the first at its beginning. @param frames latent frames */
export function placesOf(scenes: number, frames: number): readonly Place[] {
  const at = Array.from({ length: scenes }, (_, k) => Math.round((k * frames) / scenes));
  const distance = (from: number, to: number) => Math.min(Math.abs(from - to), frames - Math.abs(from - to));
  const nearest = Array.from({ length: frames }, (_, frame) => {
    const distances = at.map((place) => distance(frame, place));
    return distances.indexOf(Math.min(...distances));
  });
  return at.map((place, k) => ({ at: place, near: nearest.flatMap((scene, i) => (scene === k ? [i] : [])) }));
}
