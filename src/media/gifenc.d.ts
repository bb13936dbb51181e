// gifenc ships no types: as much of it as gif.ts uses.
declare module 'gifenc' {
  /** Red, green and blue, 0 … 255. */
  type Color = readonly [number, number, number];

  /** @param rgba all of its buffer, alpha ignored; at least one pixel @returns at most so many colours, no two the same */
  export function quantize(rgba: Uint8ClampedArray, maxColors: number): Color[];

  /** @param options auto: whether the first frame brings the file's header and a table for all frames */
  export function GIFEncoder(options: { readonly auto: boolean }): {
    writeFrame(
      indices: Uint8Array,
      width: number,
      height: number,
      options: {
        readonly palette: readonly Color[];
        readonly transparent: boolean;
        readonly transparentIndex: number;
        /** Milliseconds, of which the file holds tens. */
        readonly delay: number;
        /** GIF89a's disposal method. */
        readonly dispose: number;
      },
    ): void;
    /** What was written, as a copy. */
    bytes(): Uint8Array<ArrayBuffer>;
  };
}
