// model.json: what a model on disk says about itself, as a type and a strict validator. Not how it is loaded or run.
import { FlipbookError } from '../gpu/errors';
import { Check } from './check';

/** Any JSON value: module configurations are read by the model code that they belong to. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** One file of a model, next to model.json. */
export interface ModuleFile {
  /** A file name in the folder of model.json: no path, no address. */
  readonly file: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** What the code in src/models needs to build the module (widths, depths, heads); {} where nothing is needed. */
  readonly config: JsonObject;
}

export interface LatentSpace {
  readonly channels: number;
  /** Frames per latent frame. */
  readonly timeFactor: number;
  /** Pixels per latent position, both ways. */
  readonly spaceFactor: number;
  /** [height, width] in latent positions. */
  readonly size: readonly [number, number];
  /** Per channel: the denoiser works on (latent - mean) / std. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The forward process that the denoiser was trained on. 'flow' is rectified flow without shift. */
export type ProcessManifest =
  | 'flow'
  | { readonly schedule: 'flow'; readonly shift: number }
  | (DiscreteProcess & {
      readonly schedule: 'linear' | 'scaled-linear';
      readonly betaStart: number;
      readonly betaEnd: number;
    })
  | (DiscreteProcess & { readonly schedule: 'cosine' });

interface DiscreteProcess {
  /** Training timesteps, usually 1000. */
  readonly timesteps: number;
  readonly zeroTerminalSnr?: boolean;
  readonly spacing?: 'leading' | 'trailing' | 'linspace';
}

export const PREDICTIONS = ['flow', 'epsilon', 'v', 'x0'] as const;
export const SAMPLERS = ['ddpm', 'ddim', 'euler', 'euler-ancestral', 'dpmpp-2m', 'flow-euler', 'lcm'] as const;

export interface ModelLimits {
  readonly frames: { readonly min: number; readonly max: number; readonly multipleOf: number };
  /** Longest prompt, in characters. */
  readonly promptCharacters: number;
}

export interface ModelDefaults {
  readonly steps: number;
  readonly guidance: number;
  readonly frames: number;
  readonly sampler: (typeof SAMPLERS)[number];
  /** Guidance of the clip stage, where the picture is given. */
  readonly clipGuidance: number;
  readonly fps: number;
  /** Steps of the picture stage; the same as the clip's where it is left out. */
  readonly pictureSteps?: number;
}

export interface ModelManifest {
  readonly format: 1;
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** Where the training data come from, one source a line. */
  readonly provenance: readonly string[];
  readonly modules: {
    readonly text: ModuleFile;
    readonly denoiser: ModuleFile;
    readonly decoder: ModuleFile;
    readonly tokenizer: ModuleFile;
    /** Frames to latents, for models that can start from a picture. */
    readonly encoder?: ModuleFile;
  };
  readonly latents: LatentSpace;
  readonly process: ProcessManifest;
  readonly prediction: (typeof PREDICTIONS)[number];
  /** What the model can do: 'text', 'image', 'mask', 'loop', 'alpha'. */
  readonly capabilities: readonly string[];
  readonly limits: ModelLimits;
  readonly defaults: ModelDefaults;
  /** Measured quality, for the model card; the page does not use it. */
  readonly metrics?: JsonObject;
}

/**
 * Checks parsed JSON and returns it as a ModelManifest.
 * Throws FlipbookError 'weights' that lists every problem with its path, what was expected and what was found.
 */
export function parseManifest(json: unknown, source = 'model.json'): ModelManifest {
  const check = new Check();
  const root = check.object(json, '', KEYS.manifest, ['metrics']);
  if (root) validate(check, root);
  if (check.problems.length > 0) {
    throw new FlipbookError(
      'weights',
      `${source} does not describe a model that this page can run:\n${check.problems.map((p) => `  ${p}`).join('\n')}`,
      { hint: 'Reload the page. If that does not help, the model and the page are of different versions.' },
    );
  }
  return json as ModelManifest;
}

const KEYS = {
  manifest: [
    'format',
    'name',
    'version',
    'licence',
    'provenance',
    'modules',
    'latents',
    'process',
    'prediction',
    'capabilities',
    'limits',
    'defaults',
  ],
  modules: ['text', 'denoiser', 'decoder', 'tokenizer'],
  module: ['config', 'file', 'bytes', 'sha256'],
  latents: ['channels', 'timeFactor', 'spaceFactor', 'size', 'mean', 'std'],
  defaults: ['steps', 'guidance', 'frames', 'sampler', 'clipGuidance', 'fps'],
} as const;

const NAME = /^[a-z0-9][a-z0-9._-]*$/;
const FILE = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const SHA256 = /^[0-9a-f]{64}$/;

function validate(check: Check, root: Record<string, unknown>): void {
  check.oneOf(root.format, 'format', [1]);
  check.matches(root.name, 'name', NAME, 'lower-case letters, digits, dots, dashes');
  check.text(root.version, 'version');
  check.text(root.licence, 'licence');
  check.list(root.provenance, 'provenance', 1, (item, path) => check.text(item, path));

  const modules = check.object(root.modules, 'modules', KEYS.modules, ['encoder']);
  for (const [key, value] of Object.entries(modules ?? {})) validateModule(check, value, `modules.${key}`);

  validateLatents(check, root.latents);
  validateProcess(check, root.process);
  check.oneOf(root.prediction, 'prediction', PREDICTIONS);
  check.list(root.capabilities, 'capabilities', 1, (item, path) => check.text(item, path));
  validateLimitsAndDefaults(check, root);

  if (root.metrics !== undefined) check.object(root.metrics, 'metrics');
}

function validateModule(check: Check, value: unknown, path: string): void {
  const module = check.object(value, path, KEYS.module);
  if (!module) return;
  check.object(module.config, `${path}.config`);
  check.matches(module.file, `${path}.file`, FILE, 'a file name without a folder');
  check.number(module.bytes, `${path}.bytes`, { min: 1, integer: true });
  check.matches(module.sha256, `${path}.sha256`, SHA256, '64 lower-case hex digits');
}

function validateLatents(check: Check, value: unknown): void {
  const latents = check.object(value, 'latents', KEYS.latents);
  if (!latents) return;
  const count = { min: 1, integer: true };
  const channels = check.number(latents.channels, 'latents.channels', count) ? latents.channels : undefined;
  check.number(latents.timeFactor, 'latents.timeFactor', count);
  check.number(latents.spaceFactor, 'latents.spaceFactor', count);
  check.list(latents.size, 'latents.size', 2, (item, path) => check.number(item, path, count));
  check.length(latents.size, 'latents.size', 2, 'height and width');
  check.list(latents.mean, 'latents.mean', 1, (item, path) => check.number(item, path));
  check.list(latents.std, 'latents.std', 1, (item, path) => check.number(item, path, { above: 0 }));
  if (typeof channels !== 'number') return;
  check.length(latents.mean, 'latents.mean', channels, 'latents.channels');
  check.length(latents.std, 'latents.std', channels, 'latents.channels');
}

function validateProcess(check: Check, value: unknown): void {
  if (value === 'flow') return;
  if (typeof value === 'string') {
    check.problems.push(`process must be "flow" or an object with a schedule, but it is "${value}"`);
    return;
  }
  const process = check.object(value, 'process');
  if (!process) return;
  check.oneOf(process.schedule, 'process.schedule', ['flow', 'linear', 'scaled-linear', 'cosine']);
  if (process.schedule === 'flow') {
    check.object(process, 'process', ['schedule', 'shift']);
    check.number(process.shift, 'process.shift', { above: 0 });
    return;
  }
  const betas = process.schedule === 'cosine' ? [] : ['betaStart', 'betaEnd'];
  check.object(process, 'process', ['schedule', 'timesteps', ...betas], ['zeroTerminalSnr', 'spacing']);
  check.number(process.timesteps, 'process.timesteps', { min: 1, integer: true });
  for (const key of betas) check.number(process[key], `process.${key}`, { above: 0, below: 1 });
  if (process.zeroTerminalSnr !== undefined) {
    check.oneOf(process.zeroTerminalSnr, 'process.zeroTerminalSnr', [true, false]);
  }
  if (process.spacing !== undefined) {
    check.oneOf(process.spacing, 'process.spacing', ['leading', 'trailing', 'linspace']);
  }
}

function validateLimitsAndDefaults(check: Check, root: Record<string, unknown>): void {
  const count = { min: 1, integer: true };
  const limits = check.object(root.limits, 'limits', ['frames', 'promptCharacters']);
  const frames = limits && check.object(limits.frames, 'limits.frames', ['min', 'max', 'multipleOf']);
  if (limits) check.number(limits.promptCharacters, 'limits.promptCharacters', count);
  for (const key of ['min', 'max', 'multipleOf']) {
    if (frames) check.number(frames[key], `limits.frames.${key}`, count);
  }

  const defaults = check.object(root.defaults, 'defaults', KEYS.defaults, ['pictureSteps']);
  if (!defaults) return;
  check.number(defaults.steps, 'defaults.steps', { min: 1, max: 200, integer: true });
  check.number(defaults.guidance, 'defaults.guidance', { min: 0 });
  check.number(defaults.clipGuidance, 'defaults.clipGuidance', { min: 0 });
  check.number(defaults.fps, 'defaults.fps', { above: 0 });
  check.oneOf(defaults.sampler, 'defaults.sampler', SAMPLERS);
  if (defaults.pictureSteps !== undefined) {
    check.number(defaults.pictureSteps, 'defaults.pictureSteps', { min: 1, max: 200, integer: true });
  }
  if (!check.number(defaults.frames, 'defaults.frames', count) || !frames) return;
  const { min, max, multipleOf } = frames as { min: number; max: number; multipleOf: number };
  const chosen = defaults.frames as number;
  if (chosen < min || chosen > max || chosen % multipleOf !== 0) {
    check.problems.push(`defaults.frames must be ${min} to ${max} in steps of ${multipleOf}, but it is ${chosen}`);
  }
}
