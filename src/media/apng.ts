// Frames in, a looping PNG with full transparency out (Animated PNG, in PNG's third edition). MP4 has no transparency, GIF only
// all or nothing. Lossless and made without any encoder of the browser's; where frames come from is somebody else's business.
import { FlipbookError } from '../gpu/errors';
import { uint32 } from './bytes';
import { addXmpToPng, type ClipMetadata } from './metadata';
import type { Pixels } from './pixels';
import { packedRows, pngChunk, pngSignature } from './png';

export interface ApngOptions {
  readonly width: number;
  readonly height: number;
  /** Frames a second, a whole number. */
  readonly fps: number;
}

export class ApngWriter {
  readonly #options: ApngOptions;
  /** Of each frame: what IDAT or fdAT holds. */
  readonly #frames: Uint8Array[] = [];

  constructor(options: ApngOptions) {
    this.#options = options;
  }

  /** @throws TypeError for a frame of another size, as the caller's mistake */
  async add(frame: Pixels): Promise<void> {
    const { width, height } = this.#options;
    if (frame.width !== width || frame.height !== height) {
      throw new TypeError(`frame is ${frame.width}×${frame.height}, expected ${width}×${height}`);
    }
    this.#frames.push(await packedRows(frame));
  }

  /** The file: a viewer without animation shows the first frame. @param metadata travels inside */
  finish(metadata?: ClipMetadata): Blob {
    const { width, height, fps } = this.#options;
    if (this.#frames.length === 0) throw new FlipbookError('encoder', 'There is no frame to save.');
    const parts: Uint8Array<ArrayBuffer>[] = [
      pngSignature,
      pngChunk('IHDR', uint32(width, height), Uint8Array.of(8, 6, 0, 0, 0)), // 8-bit RGBA
      pngChunk('acTL', uint32(this.#frames.length, 0)), // for ever
    ];
    let sequence = 0;
    for (const [i, data] of this.#frames.entries()) {
      // Width, height, no offset, 1/fps s, then: leave it, replace what was there.
      const timing = Uint8Array.of(0, 1, fps >> 8, fps & 255, 0, 0);
      parts.push(pngChunk('fcTL', uint32(sequence++, width, height, 0, 0), timing));
      parts.push(i === 0 ? pngChunk('IDAT', data) : pngChunk('fdAT', uint32(sequence++), data));
    }
    parts.push(pngChunk('IEND'));
    const file = new Blob(parts, { type: 'image/png' });
    return metadata ? addXmpToPng(file, metadata) : file;
  }
}
