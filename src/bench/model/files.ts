// What the whole-model cases need from the server: the shipped model, its ONNX graphs, and PyTorch's outputs for it.
import { type LoadedModel, loadModel } from '../../engine/model';
import type { Gpu } from '../../gpu/device';
import { toFloat32 } from '../../weights/half';
import { parseSafetensors } from '../../weights/safetensors';

const graphs = import.meta.glob<string>('../../../test/fixtures/onnx/*.onnx', {
  query: '?url',
  import: 'default',
  eager: true,
});
const goldens = import.meta.glob<string>('../../../test/fixtures/goldens.*', {
  query: '?url',
  import: 'default',
  eager: true,
});

export async function bytesOf(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.arrayBuffer();
}

/** A graph of training/export_onnx.py. @throws Error where the page was built without it */
export async function graph(name: 'denoiser_step' | 'decoder'): Promise<Uint8Array> {
  const url = graphs[`../../../test/fixtures/onnx/${name}.onnx`];
  if (!url) throw new Error(`${name}.onnx is not there: python3 training/export_onnx.py writes it`);
  return new Uint8Array(await bytesOf(url));
}

/** The shipped weights of a module, which the graphs point into. */
export async function weightFile(modelUrl: string, file: string): Promise<{ path: string; data: Uint8Array }[]> {
  return [{ path: file, data: new Uint8Array(await bytesOf(new URL(file, modelUrl).href)) }];
}

/** @param options `cache: null`: as on a first visit */
export function openModel(gpu: Gpu, modelUrl: string, options: { cache?: null } = {}): Promise<LoadedModel> {
  return loadModel(gpu, { modelUrl, ...options }, new AbortController().signal, () => undefined);
}

/** Inputs of one denoiser step of nine latent frames, and what PyTorch makes of them (training/fixtures.py). */
export interface GoldenStep {
  readonly frames: number;
  readonly x: Float32Array; // [1, T, 16, 16, 40]
  readonly t: number;
  readonly context: Float32Array; // [1, 24, 192]
  readonly mask: Float32Array; // [1, 24]
  readonly pooled: Float32Array; // [1, 192]
  readonly motion: readonly number[]; // [1, 2]
  readonly conditions: Float32Array; // [1, T, 16, 16, 84]
  readonly velocity: Float32Array; // as x
}

interface About {
  readonly denoiserSha256: string;
  readonly times: Readonly<Record<string, number>>;
  readonly motion: Readonly<Record<string, readonly number[]>>;
}

/** @throws Error where the goldens belong to other weights */
export async function goldenStep(model: LoadedModel): Promise<GoldenStep> {
  const [json, data] = ['json', 'safetensors'].map((kind) => goldens[`../../../test/fixtures/goldens.${kind}`]);
  if (!json || !data) throw new Error('test/fixtures/goldens.* is not there');
  const about = JSON.parse(new TextDecoder().decode(await bytesOf(json))) as About;
  if (about.denoiserSha256 !== model.manifest.modules.denoiser.sha256) {
    throw new Error('the goldens were made with other weights: export the model again');
  }
  const tensors = parseSafetensors(await bytesOf(data), 'goldens');
  const read = (name: string) => toFloat32(tensors.get(name)!);
  const { length, width } = model.text.config;
  const prompt = 2; // of the goldens' prompts, the one that fills the context
  const tokens = new Int32Array(tensors.get('text.tokens')!.data.slice().buffer);
  const [, frames, height, side, channels] = tensors.get('clip9.x')!.shape as [number, number, number, number, number];
  return {
    frames,
    x: read('clip9.x'),
    t: about.times.clip9!,
    context: read('text.context').slice(prompt * length * width, (prompt + 1) * length * width),
    mask: Float32Array.from(tokens.slice(prompt * length, (prompt + 1) * length), (token) => (token === 0 ? 0 : 1)),
    pooled: read('text.pooled').slice(prompt * width, (prompt + 1) * width),
    motion: about.motion.clip9!,
    conditions: pictureConditions(read('clip9.picture'), frames, height * side, channels),
    velocity: read('clip9.output'),
  };
}

/** On the CPU what `conditionsOf` of src/engine/given.ts records: nothing known, the picture, anchor, given, clip. */
function pictureConditions(picture: Float32Array, frames: number, places: number, channels: number): Float32Array {
  const width = 2 * channels + 4;
  const out = new Float32Array(frames * places * width);
  for (let row = 0; row < frames * places; row++) {
    const place = row % places;
    out.set(picture.subarray(place * channels, (place + 1) * channels), row * width + channels + 1);
    out.set([row < places ? 1 : 0, 1, 1], row * width + 2 * channels + 1);
  }
  return out;
}
