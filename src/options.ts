// What a visitor may ask for: fields, defaults, limits, and the link codec. What is wrong with it is validate.ts's to say.
// Pure: it knows no page, and of the model only what its model.json says when the page is built.
import {
  description,
  latents,
  defaults as modelDefaults,
  limits as modelLimits,
  modules,
  name,
  version,
} from '../public/models/sticker/model.json';
import type { SamplerName } from './sampler-names';

export type { SamplerName };

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
   * What the prompt draws anew (src/redraw.ts): a part of the picture, `4,4,8,8`, the rest being kept; or `all`, the picture
   * being a sketch of what is meant. Only with a picture; left out, all of it is kept.
   */
  readonly redraw?: string;
}

/** What is typed or chosen at a control of the form. */
export type Field = Exclude<keyof GenerateOptions, 'picture'>;
/** The form as typed: never loses what a visitor wrote, right or wrong. */
export type RawOptions = Record<Field, string>;
/** What a link or a file says, unchecked; `picture` only where it is a hash, `model` what made the clip. */
export type Restored = Partial<RawOptions> & { picture?: string; model?: string };

/** Tokens that the model reads of a scene: its own first and last are not a visitor's. About as many words. */
export const promptTokens = modules.text.config.length - 2;
/** Where the model of this page lies, from the page. */
export const modelFolder = 'models/sticker/';
/** What it can do, in its own words. */
export const modelDescription = description;
/** The model of this page, as links and files name it. */
export const modelTitle = `${name} ${version}`;
/** Bytes that the first clip fetches, and those that the first one with a start picture fetches beside them. */
export const modelBytes = modules.text.bytes + modules.tokenizer.bytes + modules.denoiser.bytes + modules.decoder.bytes;
export const encoderBytes = modules.encoder.bytes;
export const framesPerSecond = modelDefaults.fps;
/** Pixels of a side of a frame, and of a start picture. */
export const frameSide = latents.size[0]! * latents.spaceFactor;
/** A picture file's hash, as options name it. */
export const sha256Hex = /^[0-9a-f]{64}$/;
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
  motion: modelDefaults.motion,
  sampler: modelDefaults.sampler as SamplerName,
  background: '#fff8e9',
};

/** What Motion is stepped from, and where its slider rests, while it is left out. */
export const usualMotion = modelDefaults.motion;

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

/** Options as a link or a file says them. */
export function toRestored(options: GenerateOptions): Restored {
  const { picture } = options;
  return { ...toRaw(options), ...(picture && { picture }) };
}

export function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

/** `#prompt=a+cat&seed=7…`: with the same model, and the same start picture if it names one, it makes the same clip. */
export function encodeLink(options: GenerateOptions): string {
  const given = Object.entries(toRestored(options)).filter(([name, text]) => name === 'prompt' || text !== '');
  return `#${new URLSearchParams([...given, ['model', modelTitle]])}`;
}

/** The fields that a link names, as typed and unchecked; unknown ones are ignored. Never throws. */
export function decodeLink(hash: string): Restored {
  const params = new URLSearchParams(hash.replace(/^#/, ''));
  return restored((name) => params.get(name));
}

/** The form's fields in a link or a file, which may hold anything: unknown names and other types are left out. */
export function restored(get: (name: string) => unknown): Restored {
  const raw: Restored = {};
  for (const field of fields) {
    const value = get(field);
    if (typeof value === 'string' || typeof value === 'number') raw[field] = String(value).slice(0, 20_000);
  }
  const picture = get('picture');
  if (typeof picture === 'string' && sha256Hex.test(picture)) raw.picture = picture;
  const model = get('model');
  if (typeof model === 'string' && Object.keys(raw).length > 0) raw.model = model.slice(0, 100);
  return raw;
}
