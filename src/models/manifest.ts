// model.json: what a model on disk says about itself, as a strict schema and its type. Not how it is loaded or run.
import * as v from 'valibot';
import { FlipbookError } from '../gpu/errors';
import { samplerNames } from '../sampler-names';

// Each schema says in words what it takes: see `problem`.
const number = v.pipe(v.number('a number'), v.finite('a number'));
const above0 = v.pipe(v.number('a number above 0'), v.gtValue(0, 'a number above 0'));
const from0 = v.pipe(v.number('a number from 0'), v.minValue(0, 'a number from 0'));
const below1 = v.pipe(above0, v.ltValue(1, 'a number below 1'));
const whole = (words: string, most = Number.MAX_SAFE_INTEGER) =>
  v.pipe(v.number(words), v.safeInteger(words), v.minValue(1, words), v.maxValue(most, words));
const count = whole('a whole number from 1');
const steps = whole('a whole number from 1 to 200', 200);
const text = v.pipe(v.string('a text'), v.nonEmpty('a text that is not empty'));
const texts = v.pipe(v.array(text, 'a list of texts'), v.nonEmpty('a list that is not empty'));
const matching = (pattern: RegExp, words: string) => v.pipe(v.string(words), v.regex(pattern, words));
/** Read by whoever needs it: the configuration of a module by the code in src/models that builds it. */
const anything = v.record(v.string(), v.unknown(), 'an object');

/** One file of a model, next to model.json. */
const moduleFile = v.strictObject({
  file: matching(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a file name without a folder'),
  bytes: count,
  sha256: matching(/^[0-9a-f]{64}$/, '64 lower-case hex digits'),
  /** Widths, depths, heads; {} where nothing is needed. */
  config: anything,
});

const perChannel = 'as many numbers as latents.channels';
const latents = v.pipe(
  v.strictObject({
    channels: count,
    /** Frames per latent frame. */
    timeFactor: count,
    /** Pixels per latent position, both ways. */
    spaceFactor: count,
    /** [height, width] in latent positions. */
    size: v.strictTuple([count, count], 'height and width'),
    /** Per channel: the denoiser works on (latent - mean) / std. */
    mean: v.array(number, perChannel),
    std: v.array(above0, perChannel),
  }),
  v.forward(
    v.check(({ channels, mean }) => mean.length === channels, perChannel),
    ['mean'],
  ),
  v.forward(
    v.check(({ channels, std }) => std.length === channels, perChannel),
    ['std'],
  ),
);

const discrete = {
  /** Training timesteps, usually 1000. */
  timesteps: count,
  zeroTerminalSnr: v.optional(v.boolean()),
  spacing: v.optional(v.picklist(['leading', 'trailing', 'linspace'])),
};

/** The forward process that the denoiser was trained on; the schedules are src/diffusion's. */
const process = v.variant('schedule', [
  v.strictObject({ schedule: v.literal('flow'), shift: above0 }),
  v.strictObject({
    schedule: v.picklist(['linear', 'scaled-linear']),
    ...discrete,
    betaStart: below1,
    betaEnd: below1,
  }),
  v.strictObject({ schedule: v.literal('cosine'), ...discrete }),
]);

const manifest = v.pipe(
  v.strictObject({
    format: v.literal(1),
    name: matching(/^[a-z0-9][a-z0-9._-]*$/, 'lower-case letters, digits, dots, dashes'),
    version: text,
    licence: text,
    /** What it can do and what not, in a few sentences for visitors. */
    description: text,
    /** Where the training data come from, one source a line. */
    provenance: texts,
    modules: v.strictObject({
      text: moduleFile,
      denoiser: moduleFile,
      decoder: moduleFile,
      tokenizer: moduleFile,
      /** Frames to latents, for models that can start from a picture. */
      encoder: v.optional(moduleFile),
    }),
    latents,
    process,
    prediction: v.picklist(['flow', 'epsilon', 'v', 'x0']),
    /** What the model can do: 'text', 'image', 'mask', 'loop', 'alpha'. */
    capabilities: texts,
    limits: v.strictObject({
      frames: v.strictObject({ min: count, max: count, multipleOf: count }),
      /** Longest prompt, in characters. */
      promptCharacters: count,
    }),
    defaults: v.strictObject({
      steps,
      guidance: from0,
      frames: count,
      sampler: v.picklist(samplerNames),
      /** Guidance of the clip stage, where the picture is given. */
      clipGuidance: from0,
      fps: count,
      /** Steps of the picture stage; the same as the clip's where it is left out. */
      pictureSteps: v.optional(steps),
      /** Amount of motion where the visitor names none, 1 being the training clips' mean; left to the prompt without it. */
      motion: v.optional(from0),
    }),
    /** Measured quality, for the model card; the page does not use it. */
    metrics: v.optional(anything),
  }),
  v.forward(
    v.check(({ limits, defaults: { frames } }) => {
      const { min, max, multipleOf } = limits.frames;
      return frames >= min && frames <= max && frames % multipleOf === 0;
    }, 'within limits.frames'),
    ['defaults', 'frames'],
  ),
);

export type ModelManifest = v.InferOutput<typeof manifest>;
export type ModuleConfig = v.InferOutput<typeof moduleFile>['config'];

/**
 * Checks parsed JSON and returns it as a ModelManifest.
 * @throws FlipbookError 'weights' that lists every problem with its path, what was expected and what was found
 */
export function parseManifest(json: unknown): ModelManifest {
  const result = v.safeParse(manifest, json, { abortPipeEarly: true });
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => `\n  ${problem(issue)}`);
  throw new FlipbookError(
    'weights',
    `model.json does not describe a model that this page can run:${problems.join('')}`,
    { hint: 'Reload the page. If that does not help, the model and the page are of different versions.' },
  );
}

/** `defaults.steps must be a whole number from 1 to 200, but it is 201` */
function problem(issue: v.BaseIssue<unknown>): string {
  const { type, path, expected, message } = issue;
  const where = v.getDotPath(issue) ?? 'the file';
  // Valibot expects "never" of a key that is not known, and the key's own name where it is missing.
  if (type === 'strict_object' && path) return `${where} is ${expected === 'never' ? 'not known' : 'missing'}`;
  const words = message.startsWith('Invalid ') ? expected : message; // its own words, where a schema has none
  const found = JSON.stringify(path ? path.at(-1)?.value : issue.input) ?? 'missing';
  return `${where} must be ${words}, but it is ${found.length > 80 ? `${found.slice(0, 77)}...` : found}`;
}
