// The model, loaded: manifest, weights on the GPU, the prompt reader. It builds no programs.
import type { Gpu } from '../gpu/device';
import { FlipbookError } from '../gpu/errors';
import type { OnProgress } from '../gpu/progress';
import { type CoderConfig, coderConfig } from '../models/decoder';
import { type EncoderConfig, encoderConfig } from '../models/encoder';
import { type ModelManifest, type ModuleConfig, parseManifest } from '../models/manifest';
import { PromptReader, type TextConfig, textConfig } from '../models/text';
import { type DenoiserConfig, denoiserConfig } from '../models/unet3d';
import { readJson } from '../weights/json';
import { Store, type StoreOptions } from '../weights/store';
import { Weights } from '../weights/weights';

export interface Part<Config> {
  readonly weights: Weights;
  readonly config: Config;
}

export type EncoderPart = Part<EncoderConfig>;

export interface LoadedModel {
  readonly gpu: Gpu;
  readonly manifest: ModelManifest;
  /** SHA-256 of model.json, which names the hash of every weight file. */
  readonly hash: string;
  readonly text: Part<TextConfig> & { readonly reader: PromptReader };
  readonly denoiser: Part<DenoiserConfig>;
  readonly decoder: Part<CoderConfig>;
  /** Frees the weights. */
  dispose(): void;
}

/** What programs are recorded from. Without a GPU they only count their work. */
export type RecordableModel = Pick<LoadedModel, 'manifest' | 'denoiser' | 'decoder'> & {
  readonly gpu: Gpu | null;
  readonly text: Part<TextConfig>;
};

export interface ModelSource extends StoreOptions {
  readonly modelUrl: string;
  /** Name and version under which the page's links and files name its model: another version of it is not taken. */
  readonly title?: string;
}

/**
 * Downloads (or takes from the cache), checks and parses everything that generation from text needs.
 * @param onProgress bytes of all files
 * @throws FlipbookError 'weights' or 'cancelled'
 */
export async function loadModel(
  gpu: Gpu,
  source: ModelSource,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<LoadedModel> {
  const store = new Store(source.modelUrl, source);
  const { value, hash } = await store.json('model.json', signal);
  const manifest = parseManifest(value);
  checkVersion(manifest, source.title);
  const { text, denoiser, decoder, tokenizer } = manifest.modules;
  const files = await store.load([text, denoiser, decoder, tokenizer], signal, onProgress);
  const [textFile, denoiserFile, decoderFile, tokenizerFile] = files as [
    ArrayBuffer,
    ArrayBuffer,
    ArrayBuffer,
    ArrayBuffer,
  ];
  const opened: Weights[] = [];
  const open = <Config>(
    module: { file: string; config: ModuleConfig },
    data: ArrayBuffer,
    read: (config: ModuleConfig) => Config,
  ) => {
    const weights = Weights.open(gpu, data, module.file);
    opened.push(weights);
    return { weights, config: read(module.config) };
  };
  const dispose = () => {
    for (const weights of opened) weights.dispose();
  };
  try {
    const textPart = open(text, textFile, textConfig);
    const described = await readJson(tokenizerFile, tokenizer.file);
    const reader = new PromptReader(described, textPart.weights, textPart.config);
    return {
      gpu,
      manifest,
      hash,
      text: { ...textPart, reader },
      denoiser: open(denoiser, denoiserFile, denoiserConfig),
      decoder: open(decoder, decoderFile, coderConfig),
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** A page that has been open since before the model was replaced would name the clips of the new one after the old. */
function checkVersion({ name, version }: ModelManifest, title: string | undefined): void {
  const found = `${name} ${version}`;
  if (!title?.startsWith(`${name} `) || title === found) return;
  // The older of the two may be the model: where the server is out of reach, it is the one that was used last.
  throw new FlipbookError('weights', `The model found is ${found}, and this page has ${title}`, {
    hint: 'Reload the page when the server can be reached; your settings stay.',
  });
}

/**
 * What a start picture needs beside the rest: fetched when the first one comes.
 * @throws FlipbookError 'weights', 'cancelled', or 'input' where this model cannot start from a picture
 */
export async function loadEncoder(
  { gpu, manifest }: LoadedModel,
  source: ModelSource,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<EncoderPart> {
  const { encoder } = manifest.modules;
  if (!encoder) {
    const hint = 'Remove the start picture.';
    throw new FlipbookError('input', `The model ${manifest.name} cannot start from a picture.`, { hint });
  }
  const [data] = (await new Store(source.modelUrl, source).load([encoder], signal, onProgress)) as [ArrayBuffer];
  return { weights: Weights.open(gpu, data, encoder.file), config: encoderConfig(encoder.config) };
}
