// The programs that the page runs for a clip with its defaults, recorded by the page's own classes: for the tuner, and counted
// for the report. It runs and times nothing.
import { HeadDecoder, PreviewDecoder, StemDecoder } from '../../engine/decoding';
import type { LoadedModel, RecordableModel } from '../../engine/model';
import { Stage } from '../../engine/stage';
import type { Problem } from '../../gpu/choices';
import { Plan } from '../../gpu/plan';
import { virtualTensor } from '../../gpu/tensor';
import type { PlanResult } from '../result';
import { recordDecode } from './plans';

interface Programs {
  readonly picture: Stage;
  readonly clip: Stage;
  readonly stem: StemDecoder;
  readonly head: HeadDecoder;
  readonly preview: PreviewDecoder;
}

function record(model: RecordableModel): Programs {
  const { defaults, latents } = model.manifest;
  const frames = defaults.frames / latents.timeFactor;
  const stem = new StemDecoder(model, frames);
  return {
    picture: new Stage(model, { frames: 1, guided: defaults.guidance !== 1 }),
    clip: new Stage(model, { frames, guided: defaults.clipGuidance !== 1 }),
    stem,
    head: new HeadDecoder(model, stem.features),
    preview: new PreviewDecoder(model),
  };
}

/** The kernels with a choice that a clip with the defaults runs. Other settings take the same kernels at other lengths. */
export function problemsOf(model: LoadedModel): Problem[] {
  return model.gpu.choices.problemsOf(() => {
    for (const program of Object.values(record(model))) program.dispose();
  });
}

/** Each program of such a clip, as a GPU would get it, and how often the clip runs it. */
export function countPrograms(model: Omit<RecordableModel, 'gpu'>): PlanResult[] {
  const dry = { ...model, gpu: null };
  const { defaults, latents } = model.manifest;
  const { picture, clip, stem, head, preview } = record(dry);
  const pictureSteps = defaults.pictureSteps ?? defaults.steps;
  const frames = `${defaults.frames} frames`;
  const whole = new Plan(null, 'decoder');
  const shape = [1, defaults.frames / latents.timeFactor, ...latents.size, latents.channels];
  recordDecode(whole, virtualTensor(shape), model);
  return [
    { part: 'prompt', name: "picture's prompt", runs: 1, ...picture.stats.prompt },
    { part: 'prompt', name: "picture's first noise", runs: 1, ...picture.stats.start },
    { part: 'picture', name: 'picture step', runs: pictureSteps, ...picture.stats.step },
    { part: 'prompt', name: "clip's prompt", runs: 1, ...clip.stats.prompt },
    { part: 'prompt', name: "clip's first noise", runs: 1, ...clip.stats.start },
    { part: 'clip', name: `clip step of ${frames}`, runs: defaults.steps, ...clip.stats.step },
    { part: 'preview', name: 'preview', runs: pictureSteps + defaults.steps, ...preview.stats },
    { part: 'decode', name: `decoder's stem, ${frames}`, runs: 1, ...stem.stats },
    {
      part: 'decode',
      name: `decoder's head, ${head.frames} frames`,
      runs: Math.ceil(defaults.frames / head.frames),
      ...head.stats,
    },
    { part: 'decode', name: `decoder in one piece, ${frames}`, runs: 0, ...whole.stats },
  ];
}
