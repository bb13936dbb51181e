// What a visitor may ask for: fields, defaults, limits, validation with a message per field, and the link codec.
// Pure: it knows no page, and of the model only what its model.json says when the page is built.
import { latents, defaults as modelDefaults, limits as modelLimits } from '../public/models/sticker/model.json';
import { sceneLimits, scenesOf, storyProblem } from './scenes';

export type SamplerName = 'ddpm' | 'ddim' | 'euler' | 'euler-ancestral' | 'dpmpp-2m' | 'flow-euler' | 'lcm';

export interface GenerateOptions {
  /** What is to be seen, or several scenes with `>` between them (src/scenes.ts): a story. */
  readonly prompt: string;
  /** Integer, 0 … 2^53 − 1: keys the noise. */
  readonly seed: number;
  /** Denoising steps, 1 … 200. */
  readonly steps: number;
  /** Classifier-free guidance scale; 1 is plain conditional sampling. */
  readonly guidance: number;
  /** Length of the clip at `framesPerSecond`; a multiple of 4, because a latent frame decodes to 4 frames. */
  readonly frames: number;
  readonly sampler: SamplerName;
  /** What the sticker is composited on, `#rrggbb`. */
  readonly background: string;
  /** How much the clip moves, 1 being the average of what the model learned from; left out, it decides itself. */
  readonly motion?: number;
  /**
   * SHA-256 in hex of the picture file that the clip starts from; left out where the prompt draws it. Options, links and
   * files only name the picture: whoever wants the same clip needs the picture itself.
   */
  readonly picture?: string;
  /**
   * The part of the picture that the prompt draws anew: left, top, width and height on a grid of `gridSide`, such as
   * `4,4,8,8`; the rest is kept. Only with a picture; left out, all of it is kept.
   */
  readonly redraw?: string;
}

/** What is typed or chosen at a control of the form. */
export type Field = Exclude<keyof GenerateOptions, 'picture'>;
/** The form as typed: never loses what a visitor wrote, right or wrong. */
export type RawOptions = Record<Field, string>;
export type FieldErrors = Partial<Record<Field | 'picture', string>>;
/** What a link or a file says, unchecked; `picture` only where it is a hash. */
export type Restored = Partial<RawOptions> & { picture?: string };
export type Validated =
  | { readonly ok: true; readonly options: GenerateOptions }
  | { readonly ok: false; readonly errors: FieldErrors };

export const framesPerSecond = modelDefaults.fps;
/** Pixels of a side of a frame, and of a start picture. */
export const frameSide = latents.size[0]! * latents.spaceFactor;
/** Cells of a side of the grid on which a part of the picture is redrawn: latent positions. */
export const gridSide = latents.size[0]!;

export const samplers: Record<SamplerName, string> = {
  'flow-euler': 'Flow Euler',
  euler: 'Euler',
  'euler-ancestral': 'Euler ancestral',
  'dpmpp-2m': 'DPM-Solver++ 2M',
  ddim: 'DDIM',
  ddpm: 'DDPM',
  lcm: 'Consistency (LCM)',
};

export const limits = {
  promptLength: modelLimits.promptCharacters,
  seed: { min: 0, max: Number.MAX_SAFE_INTEGER },
  steps: { min: 1, max: 200 },
  guidance: { min: 0, max: 20 },
  motion: { min: 0, max: 4 },
  frames: { min: modelLimits.frames.min, max: modelLimits.frames.max, multiple: modelLimits.frames.multipleOf },
} as const;

export const defaults: GenerateOptions = {
  prompt: 'a grinning face',
  seed: 7,
  steps: modelDefaults.steps,
  guidance: modelDefaults.guidance,
  frames: modelDefaults.frames,
  sampler: modelDefaults.sampler as SamplerName,
  background: '#fff8e9',
};

export const fields: readonly Field[] = [
  'prompt',
  'seed',
  'steps',
  'guidance',
  'frames',
  'motion',
  'redraw',
  'sampler',
  'background',
];

export function toRaw(options: GenerateOptions): RawOptions {
  return {
    prompt: options.prompt,
    seed: String(options.seed),
    steps: String(options.steps),
    guidance: String(options.guidance),
    frames: String(options.frames),
    motion: options.motion === undefined ? '' : String(options.motion),
    redraw: options.redraw ?? '',
    sampler: options.sampler,
    background: options.background,
  };
}

/**
 * Reads a form, a command line or a link. Values may be strings or numbers; a field left out is an error, not a default, but
 * for motion, picture and redraw, which a clip can do without.
 * Every message says what was given, what is expected, and something that works.
 */
export function validate(given: Partial<Record<Field | 'picture', unknown>>): Validated {
  const errors: FieldErrors = {};
  const read = <T>(field: Field | 'picture', parse: (text: string) => T | Problem): T => {
    const value = given[field];
    const result = parse(typeof value === 'string' || typeof value === 'number' ? String(value) : '');
    if (result instanceof Problem) errors[field] = result.message;
    return result as T;
  };
  const picture = read('picture', parsePicture);
  const hasPicture = picture !== undefined;
  const motion = read('motion', parseMotion);
  const redraw = read('redraw', (text) => parseRedraw(text, hasPicture));
  // What is kept whole needs no words, and a clip of one latent frame would be nothing but it.
  const isKept = hasPicture && redraw === undefined;
  const prompt = read('prompt', (text) => parsePrompt(text, isKept));
  const scenes = errors.prompt === undefined ? scenesOf(prompt).length : 1;
  const options: GenerateOptions = {
    prompt,
    seed: read('seed', (text) =>
      parseInteger('Seed', text, limits.seed, 'a whole number from 0 to 9007199254740991', 'Try 7, or roll the dice.'),
    ),
    steps: read('steps', (text) =>
      parseInteger(
        'Steps',
        text,
        limits.steps,
        'a whole number from 1 to 200',
        `Try ${defaults.steps}: more steps are slower and finer.`,
      ),
    ),
    guidance: read('guidance', parseGuidance),
    frames: read('frames', (text) => parseFrames(text, scenes, isKept)),
    sampler: read('sampler', parseSampler),
    background: read('background', parseBackground),
    ...(motion !== undefined && { motion }),
    ...(picture !== undefined && { picture }),
    ...(redraw !== undefined && { redraw }),
  };
  return Object.keys(errors).length === 0 ? { ok: true, options } : { ok: false, errors };
}

class Problem {
  constructor(readonly message: string) {}
}

/** Half a character, as a broken paste or link can hold: a URL could not carry it. */
const loneSurrogates = /\p{Surrogate}/gu;

/** Quotes what was given, short enough for one line. */
function quote(text: string): string {
  const short = text.length > 24 ? `${[...text.slice(0, 48)].slice(0, 24).join('')}…` : text;
  return text.trim() === '' ? 'nothing' : `“${short.trim()}”`;
}

function parsePrompt(text: string, isKept: boolean): string | Problem {
  const prompt = text.replace(loneSurrogates, '\uFFFD').replace(/\s+/g, ' ').trim();
  const length = [...prompt].length;
  if (length === 0 && !isKept)
    return new Problem('Prompt is empty. Say what should be on the pages, for example “a dancing cat”.');
  if (length > limits.promptLength) {
    return new Problem(
      `Prompt has ${length} characters; at most ${limits.promptLength} are read. Shorten it by ${length - limits.promptLength}.`,
    );
  }
  const problem = storyProblem(prompt, isKept);
  return problem ? new Problem(problem) : prompt;
}

function parseInteger(
  name: string,
  text: string,
  { min, max }: { min: number; max: number },
  expected: string,
  advice: string,
): number | Problem {
  const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  return new Problem(`${name} is ${quote(text)}; it must be ${expected}. ${advice}`);
}

function parseDecimal(text: string): number {
  return /^(\d+\.?\d*|\.\d+)$/.test(text.trim()) ? Number(text) : Number.NaN;
}

function parseMotion(text: string): number | undefined | Problem {
  const { min, max } = limits.motion;
  const value = parseDecimal(text);
  if (text.trim() === '') return undefined;
  if (value >= min && value <= max) return value;
  return new Problem(`Motion is ${quote(text)}; it must be a number from ${min} to ${max}, or nothing. Try 1.`);
}

function parseGuidance(text: string): number | Problem {
  const { min, max } = limits.guidance;
  const value = parseDecimal(text);
  if (value >= min && value <= max) return value;
  return new Problem(
    `Guidance is ${quote(text)}; it must be a number from ${min} to ${max}. Try ${defaults.guidance}.`,
  );
}

function parseFrames(text: string, scenes: number, isKept: boolean): number | Problem {
  const { max, multiple } = limits.frames;
  const each = sceneLimits.latentFrames * multiple;
  const isStory = scenes > 1;
  const min = isStory || isKept ? Math.max(limits.frames.min, scenes * each) : limits.frames.min;
  const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (value >= min && value <= max && value % multiple === 0) return value;
  const nearest = clamp(Number.isNaN(value) ? defaults.frames : Math.round(value / multiple) * multiple, min, max);
  const why = isStory ? ` for ${scenes} scenes, ${each} for each` : isKept ? ' with a start picture' : '';
  const advice = isStory ? `${nearest}, or fewer scenes` : nearest;
  return new Problem(
    `Frames is ${quote(text)}; it must be a multiple of ${multiple} from ${min} to ${max}${why}. Try ${advice}.`,
  );
}

const sha256 = /^[0-9a-f]{64}$/;

function parsePicture(text: string): string | undefined | Problem {
  if (text === '' || sha256.test(text)) return text || undefined;
  return new Problem(`Start picture is ${quote(text)}; it must be the SHA-256 of a file, 64 hex digits.`);
}

/** A part of the start picture, in cells of the grid. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export const formatBox = ({ left, top, width, height }: Box): string => [left, top, width, height].join(',');

/** `4,4,8,8`, also with spaces; nothing for what is no box on the grid. */
export function parseBox(text: string): Box | undefined {
  const numbers = /^(\d+)[\s,]+(\d+)[\s,]+(\d+)[\s,]+(\d+)$/.exec(text.trim())?.slice(1).map(Number);
  const [left = 0, top = 0, width = 0, height = 0] = numbers ?? [];
  const fits = width > 0 && height > 0 && left + width <= gridSide && top + height <= gridSide;
  return fits ? { left, top, width, height } : undefined;
}

function parseRedraw(text: string, hasPicture: boolean): string | undefined | Problem {
  if (text.trim() === '') return undefined;
  const box = parseBox(text);
  if (box && hasPicture) return formatBox(box);
  const advice = `left, top, width and height on a grid of ${gridSide} by ${gridSide}, or nothing. Try 4,4,8,8.`;
  if (!box) return new Problem(`Redraw is ${quote(text)}; it must be ${advice}`);
  return new Problem('Redraw needs a start picture to redraw a part of. Add one, or leave it out.');
}

function parseSampler(text: string): SamplerName | Problem {
  const name = text.trim();
  if (Object.hasOwn(samplers, name)) return name as SamplerName;
  return new Problem(`Sampler is ${quote(text)}; it must be one of ${Object.keys(samplers).join(', ')}.`);
}

function parseBackground(text: string): string | Problem {
  const colour = text.trim().toLowerCase();
  if (/^#[0-9a-f]{6}$/.test(colour)) return colour;
  if (/^#[0-9a-f]{3}$/.test(colour)) return colour.replace(/[0-9a-f]/g, '$&$&');
  return new Problem(`Background is ${quote(text)}; it must be a colour such as #ffd166.`);
}

export function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

/** `#prompt=a+cat&seed=7…`: with the same model, and the same start picture if it names one, it makes the same clip. */
export function encodeLink(options: GenerateOptions): string {
  const given = Object.entries({ ...toRaw(options), picture: options.picture ?? '' });
  return `#${new URLSearchParams(given.filter(([name, text]) => name === 'prompt' || text !== ''))}`;
}

/** The fields that a link names, as typed and unchecked; unknown ones are ignored. Never throws. */
export function decodeLink(hash: string): Restored {
  const params = new URLSearchParams(hash.replace(/^#/, ''));
  return restored((name) => params.get(name));
}

/** Picks what a form can take out of something that nobody vouches for. */
export function restored(get: (name: string) => unknown): Restored {
  const raw: Restored = {};
  for (const field of fields) {
    const value = get(field);
    if (typeof value === 'string' || typeof value === 'number') raw[field] = String(value).slice(0, 20_000);
  }
  const picture = get('picture');
  if (typeof picture === 'string' && sha256.test(picture)) raw.picture = picture;
  return raw;
}
