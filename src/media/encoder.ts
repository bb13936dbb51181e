// Finds a video encoder that really works here: H.264 High, Main, Baseline, then VP9, each tried with one frame.
// It encodes no clip (mp4.ts does) and writes no file.
import { FlipbookError, messageOf, throwIfAborted } from '../gpu/errors';

export interface VideoShape {
  /** Pixels, even: 4:2:0 colour has one sample per 2×2 pixels. */
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

export interface EncoderChoice {
  /** The name that mp4-muxer has for it. */
  readonly family: 'avc' | 'vp9';
  readonly config: VideoEncoderConfig;
}

export interface EncoderSearch {
  /** Another implementation, for tests. */
  readonly Encoder?: typeof VideoEncoder | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which an encoder that stays silent counts as broken, in its trial and midway. */
  readonly patience?: number;
  /** Is told what was chosen, for `distrust`. */
  readonly onChoice?: (choice: EncoderChoice) => void;
}

/** Rec. 709 in the narrow range: what `toI420` makes. */
export const videoColorSpace = {
  primaries: 'bt709',
  transfer: 'bt709',
  matrix: 'bt709',
  fullRange: false,
} as const satisfies VideoColorSpaceInit;

/** sRGB, as canvases and decoded pictures have it. */
export const pictureColorSpace = {
  primaries: 'bt709',
  transfer: 'iec61966-2-1',
  matrix: 'rgb',
  fullRange: true,
} as const satisfies VideoColorSpaceInit;

/** Limits of H.264 levels (Rec. ITU-T H.264, table A-1): macroblocks a frame, macroblocks a second, bits a second. */
const avcLevels = [
  { code: '1e', frame: 1620, second: 40_500, bitrate: 10e6 }, // 3
  { code: '1f', frame: 3600, second: 108_000, bitrate: 14e6 }, // 3.1
  { code: '28', frame: 8192, second: 245_760, bitrate: 20e6 }, // 4
  { code: '32', frame: 22_080, second: 589_824, bitrate: 135e6 }, // 5
  { code: '34', frame: 36_864, second: 2_073_600, bitrate: 240e6 }, // 5.2
] as const;

/** Limits of VP9 levels: luma samples a picture, luma samples a second. */
const vp9Levels = [
  { code: '21', picture: 245_760, second: 9_216_000 },
  { code: '31', picture: 983_040, second: 36_864_000 },
  { code: '41', picture: 2_228_224, second: 160_432_128 },
  { code: '52', picture: 8_912_896, second: 1_176_502_272 },
] as const;

/**
 * Bits per pixel and frame. Measured on moving sticker art of 128 and 512 pixels: beyond 2, neither OpenH264 nor libvpx
 * spends more (their finest quantizer is reached), at 44 to 47 dB; flat art takes a fraction of what is allowed.
 */
const bitsPerPixel = 2;

/** Names of configurations that failed in a clip although their trial had gone well. */
const distrusted = new Set<string>();
const nameOf = ({ config }: EncoderChoice) => `${config.codec} (${config.hardwareAcceleration})`;

/** A configuration that failed in a clip is tried last from now on. */
export function distrust(choice: EncoderChoice): void {
  distrusted.add(nameOf(choice));
}

/**
 * The best configuration that encodes one frame of this shape. Cheap (some milliseconds for a software encoder), so ask
 * before a generation, not after it.
 *
 * Throws FlipbookError 'input' for a shape that no video can have, 'encoder' when nothing works (its cause lists what
 * was tried and what came of it), 'cancelled'.
 */
export async function chooseEncoder(shape: VideoShape, search: EncoderSearch = {}): Promise<EncoderChoice> {
  checkShape(shape);
  const Encoder = search.Encoder ?? globalThis.VideoEncoder;
  if (Encoder === undefined) {
    throw new FlipbookError('encoder', 'This browser has no video encoder (WebCodecs).', { hint: encoderHint });
  }
  const tried: string[] = [];
  throwIfAborted(search.signal);
  const suspicion = (choice: EncoderChoice) => Number(distrusted.has(nameOf(choice)));
  for (const choice of ladder(shape).sort((a, b) => suspicion(a) - suspicion(b))) {
    const problem = await probe(Encoder, choice.config, search.patience ?? 10_000, search.signal);
    throwIfAborted(search.signal);
    if (problem === null) {
      search.onChoice?.(choice);
      return choice;
    }
    tried.push(`${nameOf(choice)}: ${problem}`);
  }
  const size = `${shape.width}×${shape.height}`;
  throw new FlipbookError('encoder', `This browser cannot encode ${size} video as H.264 or VP9.`, {
    hint: encoderHint,
    cause: new Error(tried.join('\n')),
  });
}

const encoderHint =
  'For an MP4, open this page in a current Chrome or Edge, or in Safari 26, with its standard codecs.';

function checkShape({ width, height, fps }: VideoShape): void {
  for (const [name, value] of [
    ['width', width],
    ['height', height],
  ] as const) {
    if (!Number.isInteger(value) || value < 16 || value > 4096) {
      throw new FlipbookError('input', `The video's ${name} is ${value}; it must be a whole number from 16 to 4096.`);
    }
    if (value % 2 !== 0) {
      throw new FlipbookError('input', `The video's ${name} is ${value}; H.264 needs even numbers.`, {
        hint: `Use ${value + 1}, or an output that is twice as large.`,
      });
    }
  }
  if (!(fps > 0 && fps <= 240)) {
    throw new FlipbookError('input', `The frame rate is ${fps}; it must be above 0 and at most 240.`);
  }
}

/** Best first. `prefer-software` comes after `no-preference`, because that one may have chosen broken hardware. */
export function ladder({ width, height, fps }: VideoShape): EncoderChoice[] {
  const pixels = width * height;
  const blocks = Math.ceil(width / 16) * Math.ceil(height / 16);
  const wanted = Math.max(400_000, Math.round(pixels * fps * bitsPerPixel));
  const avc = avcLevels.find((l) => blocks <= l.frame && blocks * fps <= l.second) ?? avcLevels.at(-1)!;
  const vp9 = vp9Levels.find((l) => pixels <= l.picture && pixels * fps <= l.second) ?? vp9Levels.at(-1)!;
  const bitrate = Math.min(wanted, avc.bitrate);
  const common = { width, height, framerate: fps, bitrate, bitrateMode: 'variable', latencyMode: 'quality' } as const;
  const rungs = [
    { family: 'avc', codec: `avc1.6400${avc.code}` }, // High
    { family: 'avc', codec: `avc1.4d00${avc.code}` }, // Main
    { family: 'avc', codec: `avc1.42e0${avc.code}` }, // Constrained Baseline
    { family: 'vp9', codec: `vp09.00.${vp9.code}.08` }, // Profile 0
  ] as const;
  return rungs.flatMap(({ family, codec }) =>
    (['no-preference', 'prefer-software'] as const).map((hardwareAcceleration) => ({
      family,
      config: {
        ...common,
        codec,
        hardwareAcceleration,
        alpha: 'discard',
        ...(family === 'avc' ? { avc: { format: 'avc' as const } } : {}),
      },
    })),
  );
}

/**
 * Encodes one frame: `isConfigSupported` lies in some browsers and throws in others. Null if it works, else why not, which
 * an aborted signal is too.
 */
async function probe(
  Encoder: typeof VideoEncoder,
  config: VideoEncoderConfig,
  patience: number,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  let encoder: VideoEncoder | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onAbort: (() => void) | undefined;
  try {
    const support = await Encoder.isConfigSupported(config);
    if (!support.supported) return 'not supported';
    let first: EncodedVideoChunk | undefined;
    let description: AllowSharedBufferSource | undefined;
    let failure: unknown;
    encoder = new Encoder({
      output: (chunk, metadata) => {
        first ??= chunk;
        description ??= metadata?.decoderConfig?.description;
      },
      error: (error) => {
        failure ??= error;
      },
    });
    encoder.configure(config);
    const frame = probeFrame(config.width, config.height);
    try {
      encoder.encode(frame, { keyFrame: true });
    } finally {
      frame.close();
    }
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${patience / 1000} s`)), patience);
      onAbort = () => reject(new Error('given up'));
      if (signal?.aborted) onAbort();
      signal?.addEventListener('abort', onAbort);
    });
    await Promise.race([encoder.flush(), silence]);
    if (failure) throw failure;
    if (!first) return 'gave nothing for a frame';
    if (first.type !== 'key') return 'began with a frame that is no key frame';
    if (config.avc && !description) return 'gave no decoder configuration';
    return null;
  } catch (error) {
    return messageOf(error);
  } finally {
    clearTimeout(timer);
    if (onAbort) signal?.removeEventListener('abort', onAbort);
    if (encoder && encoder.state !== 'closed') encoder.close();
  }
}

function probeFrame(width: number, height: number): VideoFrame {
  const pixels = new Uint8Array(width * height * 4).fill(128);
  return new VideoFrame(pixels, {
    format: 'RGBX',
    codedWidth: width,
    codedHeight: height,
    timestamp: 0,
    duration: 1000,
    colorSpace: pictureColorSpace,
  });
}
