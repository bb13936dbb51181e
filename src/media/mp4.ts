// Frames in, an MP4 file out: VideoEncoder with backpressure, then mp4-muxer in memory, then the XMP box.
// It chooses no codec (encoder.ts does) and knows nothing about where frames come from.
import { ArrayBufferTarget, Muxer } from 'mp4-muxer';
import { cancelled, FlipbookError, messageOf, throwIfAborted } from '../gpu/errors';
import { chooseEncoder, type EncoderChoice, type EncoderSearch, type VideoShape, videoColorSpace } from './encoder';
import { type ClipMetadata, xmpBox } from './metadata';
import type { FrameSink, FrameTiming } from './sink';
import { nameRec709 } from './vp9';

export interface Mp4Options extends VideoShape, EncoderSearch {
  /** Travels inside the file. */
  readonly metadata?: ClipMetadata | undefined;
}

export interface EncodedClip {
  readonly blob: Blob;
  /** WebCodecs codec string, as the encoder reported it. */
  readonly codec: string;
  readonly frames: number;
  readonly durationSeconds: number;
}

/** Frames that the encoder may hold before `add` waits: enough to keep hardware busy, few enough to keep memory flat. */
const queueLimit = 4;
/** Milliseconds of silence after which an encoder is given up: the frames are there, and another one may do. */
const patienceMidway = 20_000;
/** A key frame at least so often: seeking and looping start there. */
const keyFrameSeconds = 2;

/** One encoded frame. */
interface Chunk extends FrameTiming {
  readonly type: 'key' | 'delta';
  readonly data: Uint8Array;
}

/**
 * Encodes to MP4. `open` finds an encoder; the encoder itself is only made with the first frame, because browsers take
 * idle encoders back and minutes of denoising may lie in between.
 *
 * Failures of the browser are FlipbookError 'encoder', `cancel` or the signal give 'cancelled'; a frame that is out of
 * order or of another size is a TypeError, as the caller's mistake.
 */
export class Mp4Sink implements FrameSink<EncodedClip> {
  readonly #options: Mp4Options;
  readonly #choice: EncoderChoice;
  readonly #Encoder: typeof VideoEncoder;
  readonly #onAbort = () => void this.cancel();
  #encoder: VideoEncoder | null = null;
  #decoderConfig: VideoDecoderConfig | null = null;
  #chunks: Chunk[] = [];
  #timings: FrameTiming[] = [];
  #nextKey = 0;
  /** Whether the frames need no conversion: of RGB an encoder may make Rec. 601. */
  #isRec709 = true;
  /** Why no more frames can be taken: the first failure, cancelled, or closed. */
  #ended: unknown = null;
  #wake: (() => void) | null = null;
  /** Adds run one after the other, also if a caller does not await them. */
  #tail: Promise<void> = Promise.resolve();

  private constructor(options: Mp4Options, choice: EncoderChoice) {
    this.#options = options;
    this.#choice = choice;
    this.#Encoder = options.Encoder ?? globalThis.VideoEncoder;
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  static async open(options: Mp4Options): Promise<Mp4Sink> {
    const choice = await chooseEncoder(options, options);
    throwIfAborted(options.signal);
    return new Mp4Sink(options, choice);
  }

  add(frame: VideoFrame): Promise<void> {
    const added = this.#tail.then(() => this.#add(frame));
    this.#tail = added.catch(() => {});
    return added;
  }

  async #add(frame: VideoFrame): Promise<void> {
    try {
      if (this.#ended) throw this.#ended;
      const timing = this.#check(frame);
      if (!this.#encoder) this.#start();
      while (this.#encoder && this.#encoder.encodeQueueSize >= queueLimit) await this.#sign();
      if (this.#ended) throw this.#ended;
      this.#encode(frame, timing);
    } catch (error) {
      throw this.#end(error);
    } finally {
      frame.close();
    }
  }

  async close(): Promise<EncodedClip> {
    await this.#tail;
    try {
      if (this.#ended) throw this.#ended;
      if (!this.#encoder) throw new Error('close() came before any frame was added');
      await this.#flush(this.#encoder);
      if (this.#ended) throw this.#ended;
      return this.#finish();
    } catch (error) {
      throw this.#end(error);
    } finally {
      this.#end(new Error('This MP4 is closed: open a new one for the next clip'));
    }
  }

  async cancel(): Promise<void> {
    this.#end(cancelled());
    await this.#tail;
  }

  /** Frees everything, once. Returns the error that ended it first. */
  #end(error: unknown): unknown {
    this.#ended ??= error;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    if (this.#encoder && this.#encoder.state !== 'closed') this.#encoder.close();
    this.#encoder = null;
    this.#chunks = [];
    this.#timings = [];
    this.#wakeUp();
    return this.#ended;
  }

  /** Waits for the next sign of the encoder: an output, a place in its queue, its end. Without one for too long it is ended. */
  async #sign(): Promise<void> {
    const patience = this.#options.patience ?? patienceMidway;
    const silent = () => void this.#end(encoderError(`The video encoder gave no answer within ${patience / 1000} s.`));
    const timer = setTimeout(silent, patience);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    clearTimeout(timer);
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = null;
  }

  #start(): void {
    try {
      this.#encoder = new this.#Encoder({
        output: (chunk, metadata) => {
          this.#output(chunk, metadata);
          this.#wakeUp();
        },
        error: (error) => void this.#end(stopped(error)),
      });
      this.#encoder.addEventListener('dequeue', () => this.#wakeUp());
      this.#encoder.configure(this.#choice.config);
    } catch (error) {
      throw stopped(error);
    }
  }

  #encode(frame: VideoFrame, timing: FrameTiming): void {
    const keyFrame = timing.timestamp >= this.#nextKey;
    if (keyFrame) this.#nextKey = timing.timestamp + keyFrameSeconds * 1e6;
    try {
      this.#encoder?.encode(frame, { keyFrame });
    } catch (error) {
      throw stopped(error);
    }
    this.#timings.push(timing);
  }

  #output(chunk: EncodedVideoChunk, metadata?: EncodedVideoChunkMetadata): void {
    if (this.#ended) return;
    if (metadata?.decoderConfig) this.#decoderConfig = metadata.decoderConfig;
    const data = new Uint8Array(chunk.byteLength);
    chunk.copyTo(data);
    if (this.#choice.family === 'vp9' && this.#isRec709) nameRec709(data);
    this.#chunks.push({ type: chunk.type, timestamp: chunk.timestamp, duration: chunk.duration ?? 0, data });
  }

  async #flush(encoder: VideoEncoder): Promise<void> {
    let isOver = false;
    const flushed = encoder.flush().finally(() => {
      isOver = true;
      this.#wakeUp();
    });
    flushed.catch(() => undefined); // where it ends before
    try {
      while (!isOver && !this.#ended) await this.#sign();
      if (isOver) await flushed;
    } catch (error) {
      // The error callback has the reason, and may come a task after flush has rejected with a vague one.
      await new Promise((resolve) => setTimeout(resolve));
      throw this.#ended ?? stopped(error);
    }
  }

  #check(frame: VideoFrame): FrameTiming {
    const { width, height } = this.#options;
    const { timestamp, duration, displayWidth, displayHeight, format, colorSpace } = frame;
    if (displayWidth !== width || displayHeight !== height) {
      throw badFrame(`is ${displayWidth}×${displayHeight}, but the clip is ${width}×${height}`);
    }
    if (duration === null || duration <= 0) throw badFrame(`has duration ${duration}, expected microseconds above 0`);
    const last = this.#timings.at(-1);
    if (!last && timestamp !== 0) throw badFrame(`starts at ${timestamp} µs, but the first frame must start at 0`);
    if (last && timestamp <= last.timestamp)
      throw badFrame(`starts at ${timestamp} µs, not after ${last.timestamp} µs`);
    this.#isRec709 &&= format === 'I420' && colorSpace.matrix === 'bt709';
    return { timestamp, duration };
  }

  #finish(): EncodedClip {
    const { width, height, metadata } = this.#options;
    const decoderConfig = completeConfig(this.#decoderConfig, this.#choice, this.#isRec709);
    const chunks = checkChunks(this.#chunks, this.#timings);
    const file = muxMp4({ family: this.#choice.family, width, height, decoderConfig, chunks });
    const last = chunks.at(-1)!;
    return {
      blob: new Blob(metadata ? [file, xmpBox(metadata)] : [file], { type: 'video/mp4' }),
      codec: decoderConfig.codec,
      frames: chunks.length,
      durationSeconds: (last.timestamp + last.duration) / 1e6,
    };
  }
}

/** What mp4-muxer does not check. Durations are taken from the frames: some encoders drop them. */
function checkChunks(chunks: readonly Chunk[], timings: readonly FrameTiming[]): Chunk[] {
  const wrong = (what: string) => encoderError(`The video encoder ${what}.`);
  if (chunks.length !== timings.length) throw wrong(`gave ${chunks.length} frames for ${timings.length}`);
  if (chunks[0]?.type !== 'key') throw wrong('began with a frame that is no key frame');
  return chunks.map((chunk, i) => {
    const timing = timings[i]!;
    if (chunk.timestamp !== timing.timestamp) {
      throw wrong(`gave the frame of ${chunk.timestamp} µs where the frame of ${timing.timestamp} µs was due`);
    }
    return { ...chunk, duration: timing.duration };
  });
}

/**
 * mp4-muxer writes 0 for colours that it is not told or does not know; a partial colour space would be a wrong one.
 * @param isRec709 whether the frames were: nothing converts them then, though some encoders report Rec. 601 whatever they were given
 */
function completeConfig(
  config: VideoDecoderConfig | null,
  choice: EncoderChoice,
  isRec709: boolean,
): VideoDecoderConfig {
  if (choice.family === 'avc' && !config?.description) {
    throw encoderError('The video encoder gave no decoder configuration.');
  }
  const given = config?.colorSpace;
  const known =
    ['bt709', 'bt470bg', 'smpte170m'].includes(given?.primaries ?? '') &&
    ['bt709', 'smpte170m', 'iec61966-2-1'].includes(given?.transfer ?? '') &&
    ['bt709', 'bt470bg', 'smpte170m'].includes(given?.matrix ?? '');
  const colorSpace = known && !isRec709 ? { ...given, fullRange: given?.fullRange ?? false } : videoColorSpace;
  return { ...config, codec: config?.codec ?? choice.config.codec, colorSpace };
}

/** Lays chunks out as an MP4 with its index first ("fast start"), so that it plays while it is still loading. */
function muxMp4(clip: {
  readonly family: 'avc' | 'vp9';
  readonly width: number;
  readonly height: number;
  readonly decoderConfig: VideoDecoderConfig;
  readonly chunks: readonly Chunk[];
}): ArrayBuffer {
  const muxer = new Muxer({
    target: new ArrayBufferTarget(),
    video: { codec: clip.family, width: clip.width, height: clip.height },
    fastStart: 'in-memory',
    firstTimestampBehavior: 'strict',
  });
  clip.chunks.forEach(({ data, type, timestamp, duration }, i) => {
    muxer.addVideoChunkRaw(
      data,
      type,
      timestamp,
      duration,
      i === 0 ? { decoderConfig: clip.decoderConfig } : undefined,
    );
  });
  muxer.finalize();
  return muxer.target.buffer;
}

function badFrame(what: string): TypeError {
  return new TypeError(`frame ${what}`);
}

function encoderError(message: string, cause?: unknown): FlipbookError {
  return new FlipbookError('encoder', message, { cause });
}

function stopped(error: unknown): FlipbookError {
  return encoderError(`The video encoder stopped: ${messageOf(error)}`, error);
}
