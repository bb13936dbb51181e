// An animated picture, read back by the browser's own decoder.
import type { Pixels } from '../../src/media/pixels';

export interface Animation {
  /** Straight alpha, as well as a canvas keeps it; durations in microseconds. */
  readonly frames: readonly (Pixels & { readonly duration: number })[];
  readonly repetitionCount: number;
}

export async function decodeAnimation(file: Blob): Promise<Animation> {
  const decoder = new ImageDecoder({ data: await file.arrayBuffer(), type: file.type, premultiplyAlpha: 'none' });
  await decoder.tracks.ready;
  await decoder.completed;
  const { frameCount, repetitionCount } = decoder.tracks.selectedTrack!;
  const frames: Animation['frames'][number][] = [];
  for (let frameIndex = 0; frameIndex < frameCount; frameIndex++) {
    const { image } = await decoder.decode({ frameIndex });
    const { codedWidth: width, codedHeight: height, duration } = image;
    // Not by copyTo: Firefox gives colours there that are multiplied by alpha, whatever it was asked for.
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
    context.drawImage(image, 0, 0);
    frames.push({ width, height, data: context.getImageData(0, 0, width, height).data, duration: duration ?? 0 });
    image.close();
  }
  decoder.close();
  return { frames, repetitionCount };
}
