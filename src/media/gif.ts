// Frames in, a looping GIF out (GIF89a), for chats and trackers that take no APNG. It has 255 colours a frame and no
// half-transparency: what is at least half there is drawn on the paper, the rest is left out. gifenc chooses the colours and
// packs the frames. Nothing is dithered: no bands are seen where each pixel has the nearest of its frame's own colours.
import { GIFEncoder, quantize } from 'gifenc';
import { FlipbookError } from '../gpu/errors';
import { ascii } from './bytes';
import { type ClipMetadata, xmpExtension } from './metadata';
import { type Pixels, rgb } from './pixels';
import { span } from './sink';

export interface GifOptions {
  readonly width: number;
  readonly height: number;
  /** Frames a second, at most 50: what has less than two hundredths of a second, browsers show for ten. */
  readonly fps: number;
  /** What shows through where a pixel is half there: `#rrggbb`. */
  readonly paper: string;
}

/** One index of the 256 is for what is left out. */
const maxColors = 255;

/** Disposal method 2 (GIF89a, section 23): the next frame begins on nothing again. */
const restoreToBackground = 2;

/** An application extension (section 26) that all programs know: the loop goes on for ever. */
const forEver = Uint8Array.of(0x21, 0xff, 11, ...ascii('NETSCAPE2.0'), 3, 1, 0, 0, 0);

export class GifWriter {
  readonly #options: GifOptions;
  readonly #paper: readonly [number, number, number];
  /** Every frame with a table of colours of its own. */
  readonly #frames = GIFEncoder({ auto: false });
  #count = 0;

  constructor(options: GifOptions) {
    this.#options = options;
    this.#paper = rgb(options.paper).map((value) => Math.round(255 * value)) as [number, number, number];
  }

  /** @throws TypeError for a frame of another size, as the caller's mistake */
  async add(frame: Pixels): Promise<void> {
    const { width, height, fps } = this.#options;
    if (frame.width !== width || frame.height !== height) {
      throw new TypeError(`frame is ${frame.width}×${frame.height}, expected ${width}×${height}`);
    }
    const { places, colors } = this.#drawn(frame);
    const palette = places.length > 0 ? quantize(colors, maxColors) : [];
    const transparentIndex = palette.length;
    const indices = new Uint8Array(width * height).fill(transparentIndex);
    for (const [i, index] of nearest(colors, palette).entries()) indices[places[i]!] = index;
    this.#frames.writeFrame(indices, width, height, {
      palette: [...palette, this.#paper], // for a program that knows no transparency
      transparent: true,
      transparentIndex,
      delay: 10 * span(this.#count++, fps, 100).length, // GIF has nothing finer than hundredths of a second
      dispose: restoreToBackground,
    });
  }

  /** The file: a viewer without animation shows the first frame. @param metadata travels inside */
  finish(metadata?: ClipMetadata): Blob {
    const { width, height } = this.#options;
    if (this.#count === 0) throw new FlipbookError('encoder', 'There is no frame to save.');
    const size = Uint8Array.of(width & 255, width >> 8, height & 255, height >> 8);
    const parts = [
      ascii('GIF89a'),
      size,
      Uint8Array.of(0x70, 0, 0), // 8 bits a primary, no table of colours for all frames, square pixels
      forEver,
      ...(metadata ? [xmpExtension(metadata)] : []),
      this.#frames.bytes(),
      Uint8Array.of(0x3b), // the end
    ];
    return new Blob(parts, { type: 'image/gif' });
  }

  /** The pixels that are at least half there: where, and their RGBA on the paper. */
  #drawn({ data }: Pixels): { places: readonly number[]; colors: Uint8ClampedArray } {
    const places: number[] = [];
    for (let i = 0; 4 * i < data.length; i++) if (data[4 * i + 3]! >= 128) places.push(i);
    const colors = new Uint8ClampedArray(4 * places.length).fill(255);
    for (const [i, place] of places.entries()) {
      const alpha = data[4 * place + 3]! / 255;
      for (let c = 0; c < 3; c++) colors[4 * i + c] = alpha * data[4 * place + c]! + (1 - alpha) * this.#paper[c]!;
    }
    return { places, colors };
  }
}

/** For each pixel the colour nearest to it. gifenc's own `applyPalette` takes colours alike up to 8 levels, which shows as bands. */
function nearest(rgba: Uint8ClampedArray, palette: readonly (readonly [number, number, number])[]): Uint8Array {
  const found = new Map<number, number>();
  const indices = new Uint8Array(rgba.length / 4);
  for (let i = 0; i < indices.length; i++) {
    const [r, g, b] = [rgba[4 * i]!, rgba[4 * i + 1]!, rgba[4 * i + 2]!];
    const key = (r << 16) | (g << 8) | b;
    let best = found.get(key);
    if (best === undefined) {
      best = 0;
      let least = Number.POSITIVE_INFINITY;
      for (let k = 0; k < palette.length; k++) {
        const color = palette[k]!;
        const distance = (color[0] - r) ** 2 + (color[1] - g) ** 2 + (color[2] - b) ** 2;
        if (distance < least) [least, best] = [distance, k];
      }
      found.set(key, best);
    }
    indices[i] = best;
  }
  return indices;
}
