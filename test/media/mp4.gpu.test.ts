// Real encoders: what is written comes back from an independent reader, picture by picture.
import { ALL_FORMATS, BlobSource, EncodedPacketSink, Input, VideoSampleSink } from 'mediabunny';
import { afterAll, expect, test } from 'vitest';
import { FlipbookError } from '../../src/gpu/errors';
import { pictureColorSpace } from '../../src/media/encoder';
import { readClipMetadata } from '../../src/media/metadata';
import { type EncodedClip, Mp4Sink } from '../../src/media/mp4';
import { type Pixels, videoFrame } from '../../src/media/pixels';
import { type FrameTiming, frameTiming } from '../../src/media/sink';
import { difference, patches, sticker, toRgb } from './art';
import { OnlyVp9 } from './fake-encoder';
import { sampleMetadata } from './samples';

const fps = 12;

function rgbaFrame({ width, height, data }: Pixels, timing: FrameTiming): VideoFrame {
  return new VideoFrame(data, {
    format: 'RGBX',
    codedWidth: width,
    codedHeight: height,
    colorSpace: pictureColorSpace,
    ...timing,
  });
}

async function encode(
  pictures: readonly Pixels[],
  make: (pixels: Pixels, timing: FrameTiming) => VideoFrame,
  Encoder?: typeof VideoEncoder,
): Promise<EncodedClip> {
  const { width, height } = pictures[0]!;
  const sink = await Mp4Sink.open({ width, height, fps, metadata: sampleMetadata, Encoder });
  for (const [i, pixels] of pictures.entries()) await sink.add(make(pixels, frameTiming(i, fps)));
  return sink.close();
}

interface Decoded {
  readonly timestamp: number;
  readonly duration: number;
  readonly rgb: Uint8ClampedArray;
  readonly colorSpace: VideoColorSpaceInit;
}

async function decode(blob: Blob) {
  const input = new Input({ source: new BlobSource(blob), formats: ALL_FORMATS });
  const track = (await input.getPrimaryVideoTrack())!;
  const frames: Decoded[] = [];
  for await (const sample of new VideoSampleSink(track).samples()) {
    const frame = sample.toVideoFrame();
    frames.push({
      timestamp: sample.timestamp,
      duration: sample.duration,
      rgb: await toRgb(frame),
      colorSpace: frame.colorSpace.toJSON(),
    });
    frame.close();
    sample.close();
  }
  const keyFrames: number[] = [];
  for await (const packet of new EncodedPacketSink(track).packets()) {
    if (packet.type === 'key') keyFrames.push(packet.timestamp);
  }
  const codec = await track.getCodecParameterString();
  const result = { codec, seconds: await track.computeDuration(), frames, keyFrames };
  input.dispose();
  return result;
}

const paths = { 'RGBA from memory': rgbaFrame, 'Rec. 709 from memory': videoFrame } as const;
const encoders = { 'H.264': undefined, VP9: OnlyVp9 } as const;
const numbers: string[] = [];
afterAll(() => console.info(numbers.join('\n')));

for (const [codecName, Encoder] of Object.entries(encoders)) {
  for (const [pathName, make] of Object.entries(paths)) {
    test(`${codecName}: colour patches come back (${pathName})`, async () => {
      const original = patches(128);
      const clip = await encode(
        Array.from({ length: 6 }, () => original),
        make,
        Encoder,
      );
      const { codec, frames } = await decode(clip.blob);
      expect(codec).toMatch(codecName === 'VP9' ? /^vp09\.00\./ : /^avc1\.64/);
      for (const { rgb } of frames) {
        const { mean, worstPatch } = difference(rgb, original);
        expect(worstPatch).toBeLessThan(2.5);
        expect(mean).toBeLessThan(2);
      }
      const { mean, worstPatch } = difference(frames.at(-1)!.rgb, original);
      numbers.push(`${codecName}, ${pathName}: mean ${mean.toFixed(2)}, worst patch ${worstPatch.toFixed(2)}`);
    });
  }

  test(`${codecName}: a 36-frame clip has its frames, in order, on time, close to the originals`, async () => {
    const pictures = Array.from({ length: 36 }, (_, i) => sticker(256, i / 36));
    const clip = await encode(pictures, videoFrame, Encoder);
    expect(clip).toMatchObject({ frames: 36, durationSeconds: 3 });
    expect(clip.blob.type).toBe('video/mp4');
    const { codec, seconds, frames, keyFrames } = await decode(clip.blob);
    // The file names the level that the frames need, and more of the colours, than what was asked for.
    expect(codec!.slice(0, 7)).toBe(clip.codec.slice(0, 7));
    expect(seconds).toBeCloseTo(3, 6);
    expect(frames).toHaveLength(36);
    expect(keyFrames).toEqual([0, 2]); // seconds
    const errors = frames.map(({ timestamp, duration, rgb, colorSpace }, i) => {
      expect(timestamp).toBeCloseTo(i / fps, 4);
      expect(duration).toBeCloseTo(1 / fps, 4);
      expect(colorSpace).toEqual({ primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: false });
      // Closer to its own picture than to those before and after it: none is repeated, lost or out of place.
      const own = difference(rgb, pictures[i]!).mean;
      expect(own).toBeLessThan(difference(rgb, pictures[(i + 35) % 36]!).mean);
      expect(own).toBeLessThan(difference(rgb, pictures[(i + 1) % 36]!).mean);
      return own;
    });
    expect(Math.max(...errors)).toBeLessThan(1.5);
    numbers.push(
      `${codecName}, 36 frames of 256×256: ${clip.blob.size} bytes, worst frame ${Math.max(...errors).toFixed(2)}`,
    );
  });
}

test('the settings travel in the file', async () => {
  const clip = await encode([patches(32)], videoFrame);
  expect(await readClipMetadata(clip.blob)).toEqual(sampleMetadata);
});

test.for([
  [16, 16],
  [130, 66],
  [1024, 512],
] as const)(
  '%i pixels wide: sizes that are no multiple of a macroblock, tiny and large ones keep their size',
  async ([width, height]) => {
    const data = new Uint8ClampedArray(width * height * 4).fill(200);
    const clip = await encode([{ width, height, data }], videoFrame);
    const input = new Input({ source: new BlobSource(clip.blob), formats: ALL_FORMATS });
    const track = (await input.getPrimaryVideoTrack())!;
    const sample = (await new VideoSampleSink(track).getSample(0))!;
    expect([sample.displayWidth, sample.displayHeight]).toEqual([width, height]);
    const frame = sample.toVideoFrame();
    const rgb = await toRgb(frame);
    // A little ringing is allowed at the edges, where the encoder pads to whole macroblocks.
    expect(rgb.reduce((sum, value) => sum + Math.abs(value - 200), 0) / rgb.length).toBeLessThan(1);
    expect(rgb.filter((value) => Math.abs(value - 200) > 12)).toHaveLength(0);
    frame.close();
    sample.close();
    input.dispose();
  },
);

/** An encoder that reports Rec. 601, as some do whatever they were given. */
class Claims601 extends VideoEncoder {
  constructor(init: VideoEncoderInit) {
    const colorSpace = {
      primaries: 'smpte170m',
      transfer: 'smpte170m',
      matrix: 'smpte170m',
      fullRange: false,
    } as const;
    super({
      ...init,
      output: (chunk, metadata) => {
        const { decoderConfig } = metadata ?? {};
        init.output(chunk, decoderConfig ? { decoderConfig: { ...decoderConfig, colorSpace } } : {});
      },
    });
  }
}

test.for([
  ['Rec. 709 from memory', 'bt709'],
  ['RGBA from memory', 'smpte170m'],
] as const)(
  '%s is labelled %s where the encoder reports Rec. 601: only what it converts may be that',
  async ([path, matrix]) => {
    const { blob } = await encode([patches(64)], paths[path], Claims601);
    const input = new Input({ source: new BlobSource(blob), formats: ALL_FORMATS });
    expect(await (await input.getPrimaryVideoTrack())!.getColorSpace()).toMatchObject({ matrix });
    input.dispose();
  },
);

test('one frame is a clip', async () => {
  const clip = await encode([patches(64)], videoFrame);
  expect(clip.frames).toBe(1);
  const { frames, seconds } = await decode(clip.blob);
  expect(frames).toHaveLength(1);
  expect(seconds).toBeCloseTo(1 / fps, 4);
});

test('all frames are closed, and adds that are not awaited keep their order', async () => {
  const sink = await Mp4Sink.open({ width: 64, height: 64, fps });
  const frames = Array.from({ length: 24 }, (_, i) => videoFrame(patches(64), frameTiming(i, fps)));
  await Promise.all(frames.map((frame) => sink.add(frame)));
  expect((await sink.close()).frames).toBe(24);
  expect(frames.filter((frame) => frame.format !== null)).toEqual([]);
});

test('cancel midway frees the encoder and every frame', async () => {
  const made: VideoEncoder[] = [];
  class Watched extends VideoEncoder {
    constructor(init: VideoEncoderInit) {
      super(init);
      made.push(this);
    }
  }
  const abort = new AbortController();
  const sink = await Mp4Sink.open({ width: 64, height: 64, fps, Encoder: Watched, signal: abort.signal });
  const frames = Array.from({ length: 12 }, (_, i) => videoFrame(patches(64), frameTiming(i, fps)));
  const added = frames.map((frame) => sink.add(frame));
  await added[3];
  abort.abort();
  const results = await Promise.allSettled(added);
  expect(results.slice(0, 4).every((result) => result.status === 'fulfilled')).toBe(true);
  expect(results.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
  await expect(sink.close()).rejects.toMatchObject({ code: 'cancelled' });
  await sink.cancel();
  expect(made.map((encoder) => encoder.state)).toEqual(made.map(() => 'closed'));
  expect(frames.filter((frame) => frame.format !== null)).toEqual([]);
});

test.for([
  [127, 128, 'width is 127'],
  [128, 65, 'height is 65'],
  [0, 128, 'width is 0'],
  [8192, 128, 'width is 8192'],
] as const)('%i×%i is refused in plain words', async ([width, height, words]) => {
  const opened = Mp4Sink.open({ width, height, fps });
  await expect(opened).rejects.toBeInstanceOf(FlipbookError);
  await expect(opened).rejects.toMatchObject({ code: 'input', message: expect.stringContaining(words) });
});

test.for([
  ['of another size', () => videoFrame(patches(32), frameTiming(0, fps)), '32×32, but the clip is 64×64'],
  ['that starts late', () => videoFrame(patches(64), frameTiming(1, fps)), 'must start at 0'],
  ['without a duration', () => videoFrame(patches(64), { timestamp: 0, duration: 0 }), 'duration'],
] as const)('a frame %s is refused and closed', async ([, make, words]) => {
  const sink = await Mp4Sink.open({ width: 64, height: 64, fps });
  const frame = make();
  await expect(sink.add(frame)).rejects.toThrow(words);
  expect(frame.format).toBeNull();
  await expect(sink.close()).rejects.toThrow(words);
});

test('frames out of order are refused', async () => {
  const sink = await Mp4Sink.open({ width: 64, height: 64, fps });
  await sink.add(videoFrame(patches(64), frameTiming(0, fps)));
  await expect(sink.add(videoFrame(patches(64), frameTiming(0, fps)))).rejects.toThrow('not after 0');
});

test('a clip without frames, and one closed twice, are refused', async () => {
  const sink = await Mp4Sink.open({ width: 64, height: 64, fps });
  await expect(sink.close()).rejects.toThrow('before any frame');
  const other = await Mp4Sink.open({ width: 64, height: 64, fps });
  await other.add(videoFrame(patches(64), frameTiming(0, fps)));
  await other.close();
  await expect(other.close()).rejects.toThrow('closed');
  const late = videoFrame(patches(64), frameTiming(1, fps));
  await expect(other.add(late)).rejects.toThrow('closed');
  expect(late.format).toBeNull();
});
