// Whether options can be had, field by field: every message says what was given, what is expected, and something that works.
// For the form, the command line and links alike, and the engine's last check. Pure: it knows no page.
import {
  clamp,
  defaults,
  type Field,
  type GenerateOptions,
  gridSide,
  limits,
  type SamplerName,
  samplers,
  sha256Hex,
  usualMotion,
} from './options';
import { formatRedraw, parseRedraw } from './redraw';
import { sceneLimits, scenesOf, storyProblem } from './scenes';

export type FieldErrors = Partial<Record<Field | 'picture', string>>;
export type Validated =
  | { readonly ok: true; readonly options: GenerateOptions }
  | { readonly ok: false; readonly errors: FieldErrors };

/**
 * Reads a form, a command line or a link. Values may be strings or numbers; a field left out is an error, not a default, but
 * for motion, picture and redraw, which a clip can do without.
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
  const redraw = read('redraw', (text) => parseRedrawn(text, hasPicture));
  // A picture that is kept whole needs no words; but a clip of one latent frame would be that picture and nothing else.
  const isKept = hasPicture && redraw === undefined;
  const prompt = read('prompt', (text) => parsePrompt(text, isKept));
  const scenes = errors.prompt === undefined ? scenesOf(prompt).length : 1;
  const options: GenerateOptions = {
    prompt,
    seed: read('seed', (text) => parseInteger('Seed', text, limits.seed, `Try ${defaults.seed}, or roll the dice.`)),
    steps: read('steps', (text) => parseInteger('Steps', text, limits.steps, `Try ${defaults.steps}.`)),
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
      `Prompt has ${length} characters; at most ${limits.promptLength} are allowed. Shorten it by ${length - limits.promptLength}.`,
    );
  }
  const problem = storyProblem(prompt, isKept);
  return problem ? new Problem(problem) : prompt;
}

function parseInteger(
  name: string,
  text: string,
  { min, max }: { min: number; max: number },
  advice: string,
): number | Problem {
  const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  return new Problem(`${name} is ${quote(text)}; it must be a whole number from ${min} to ${max}. ${advice}`);
}

/** With a point or, as the keys of many phones have it, a comma. NaN where it is no number of at least 0. */
export function parseDecimal(text: string): number {
  return /^(\d+[.,]?\d*|[.,]\d+)$/.test(text.trim()) ? Number(text.replace(',', '.')) : Number.NaN;
}

function parseMotion(text: string): number | undefined | Problem {
  const { min, max } = limits.motion;
  const value = parseDecimal(text);
  if (text.trim() === '') return undefined;
  if (value >= min && value <= max) return value;
  return new Problem(
    `Motion is ${quote(text)}; it must be a number from ${min} to ${max}, or nothing. Try ${usualMotion}.`,
  );
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

function parsePicture(text: string): string | undefined | Problem {
  if (text === '' || sha256Hex.test(text)) return text || undefined;
  return new Problem(`Start picture is ${quote(text)}; it must be the SHA-256 of a file, 64 hex digits.`);
}

function parseRedrawn(text: string, hasPicture: boolean): string | undefined | Problem {
  if (text === '') return undefined;
  if (text.trim() === '') return new Problem('Redraw has no box. Drag one on the picture, or type 4,4,8,8.');
  const redraw = parseRedraw(text);
  if (redraw && hasPicture) return formatRedraw(redraw);
  const box = `left, top, width and height on a grid of ${gridSide} by ${gridSide}`;
  if (!redraw) return new Problem(`Redraw is ${quote(text)}; it must be ${box}, or “all”, or nothing. Try 4,4,8,8.`);
  return new Problem('Redraw needs a start picture to draw anew. Add one, or leave it out.');
}

function parseSampler(text: string): SamplerName | Problem {
  const name = text.trim();
  if (Object.hasOwn(samplers, name)) return name as SamplerName;
  return new Problem(`Sampler is ${quote(text)}; it must be one of ${Object.keys(samplers).join(', ')}.`);
}

/** `#rgb` or `#rrggbb`, as the latter; undefined where it is neither. */
export function readColor(text: string): string | undefined {
  const color = text.trim().toLowerCase();
  if (/^#[0-9a-f]{6}$/.test(color)) return color;
  return /^#[0-9a-f]{3}$/.test(color) ? color.replace(/[0-9a-f]/g, '$&$&') : undefined;
}

function parseBackground(text: string): string | Problem {
  return readColor(text) ?? new Problem(`Background is ${quote(text)}; it must be a colour such as #ffd166.`);
}
