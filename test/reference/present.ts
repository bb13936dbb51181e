// One frame of premultiplied RGBA stretched over a canvas, in f64: colours in 0..1, row by row.

export interface PresentCase {
  /** [height, width, 4]. */
  readonly frame: ArrayLike<number>;
  readonly size: readonly [width: number, height: number];
  readonly canvas: readonly [width: number, height: number];
  readonly output: 'opaque' | 'premultiplied';
  readonly background: readonly number[];
}

export function present({ frame, size, canvas, output, background }: PresentCase): Float64Array {
  const [width, height] = size;
  const out = new Float64Array(canvas[0] * canvas[1] * 4);
  const within = (value: number, most: number) => Math.min(most, Math.max(0, value));
  const pixel = (x: number, y: number, c: number) =>
    within(frame[(within(y, height - 1) * width + within(x, width - 1)) * 4 + c]!, 1);
  for (let row = 0; row < canvas[1]; row++) {
    for (let column = 0; column < canvas[0]; column++) {
      const x = ((column + 0.5) * width) / canvas[0];
      const y = ((row + 0.5) * height) / canvas[1];
      const color = [0, 1, 2, 3].map((c) => {
        const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
        const [u, v] = [x - 0.5 - left, y - 0.5 - top];
        return (
          (1 - v) * ((1 - u) * pixel(left, top, c) + u * pixel(left + 1, top, c)) +
          v * ((1 - u) * pixel(left, top + 1, c) + u * pixel(left + 1, top + 1, c))
        );
      });
      const alpha = color[3]!;
      const rgb = color
        .slice(0, 3)
        .map((value, c) =>
          output === 'opaque' ? within(value + (1 - alpha) * background[c]!, 1) : Math.min(value, alpha),
        );
      out.set([...rgb, output === 'opaque' ? 1 : alpha], (row * canvas[0] + column) * 4);
    }
  }
  return out;
}
