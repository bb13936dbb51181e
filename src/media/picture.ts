// A visitor's picture as a model takes it: decoded by the browser, fitted into a square, its transparency kept.
// For the page, not for a worker (it needs an image element). It knows no model and no GPU.
import { FlipbookError } from '../gpu/errors';
import { sha256 } from '../sha256';
import type { Pixels } from './pixels';

/** A picture that a clip may start from. */
export interface StartPicture {
  /** The file's name, for people. */
  readonly name: string;
  /** Of the file as it was given, lower-case hex: what `sha256sum` says. */
  readonly sha256: string;
  /** Square, straight alpha; what the picture's shape leaves free is transparent. */
  readonly pixels: Pixels;
}

const fileLimit = 64e6;
const kinds = 'Use a PNG, JPEG, WebP, GIF, AVIF or SVG file.';

/**
 * Decodes a picture (of an animation its first frame) and fits it into the middle of a square, whole and undistorted.
 * @param side pixels of the square
 * @throws FlipbookError 'input' for what is empty, too large, no picture to this browser, or nothing but transparency
 */
export async function readPicture(file: File, side: number): Promise<StartPicture> {
  const name = shortName(file.name);
  if (file.size === 0) throw unfit(`“${name}” is empty.`, kinds);
  if (file.size > fileLimit) {
    const megabytes = Math.ceil(file.size / 1e6);
    throw unfit(`“${name}” has ${megabytes} MB; a start picture may have ${fileLimit / 1e6} MB.`, 'Save it smaller.');
  }
  const pixels = await decoded(file, side, name);
  if (!pixels.data.some((value, i) => i % 4 === 3 && value > 0)) {
    // A browser takes a file that was cut off for what little of it is there.
    throw unfit(`“${name}” shows nothing: it is transparent everywhere, or cut off.`, 'Choose another picture.');
  }
  return { name, sha256: await sha256(await file.arrayBuffer()), pixels };
}

async function decoded(file: File, side: number, name: string): Promise<Pixels> {
  const address = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = address;
    await image.decode().catch((cause) => {
      throw unfit(`“${name}” is not a picture that this browser can read.`, kinds, cause);
    });
    const { naturalWidth, naturalHeight } = image;
    if (naturalWidth === 0 || naturalHeight === 0) {
      throw unfit(`“${name}” does not say how large it is.`, 'Save it as PNG, or give the SVG a width and a height.');
    }
    const canvas = new OffscreenCanvas(side, side);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('no 2D canvas');
    context.imageSmoothingQuality = 'high';
    const { x, y, width, height } = fitted(naturalWidth, naturalHeight, side);
    context.drawImage(image, x, y, width, height);
    return { width: side, height: side, data: context.getImageData(0, 0, side, side).data };
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** The largest rectangle of this shape in the middle of a square; at least one pixel each way. */
export function fitted(
  width: number,
  height: number,
  side: number,
): { readonly x: number; readonly y: number; readonly width: number; readonly height: number } {
  const scale = side / Math.max(width, height);
  const [w, h] = [Math.max(1, width * scale), Math.max(1, height * scale)];
  return { x: (side - w) / 2, y: (side - h) / 2, width: w, height: h };
}

/** A name that fits into a sentence. */
function shortName(name: string): string {
  const letters = [...name];
  return letters.length > 40 ? `${letters.slice(0, 40).join('')}…` : name || 'picture';
}

function unfit(message: string, hint: string, cause?: unknown): FlipbookError {
  return new FlipbookError('input', message, { hint, cause });
}
