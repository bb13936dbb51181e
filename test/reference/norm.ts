// Group norm and layer norm in f64, from the definition, with scale-shift and SiLU.

export interface NormCase {
  /** [spans, rows, C]: statistics are per span (and group). */
  readonly x: ArrayLike<number>;
  readonly spans: number;
  readonly channels: number;
  readonly groups: number;
  readonly eps: number;
  readonly weight?: ArrayLike<number>;
  readonly bias?: ArrayLike<number>;
  /** (scale, shift) for a row of C channels (counted over all spans) and a channel. */
  readonly scaleShift?: (row: number, channel: number) => readonly [number, number];
  readonly silu?: boolean;
}

export function groupNorm({ x, spans, channels, groups, eps, weight, bias, scaleShift, silu }: NormCase): Float64Array {
  const rows = x.length / channels / spans;
  const size = channels / groups;
  const out = new Float64Array(x.length);
  for (let span = 0; span < spans; span++) {
    for (let group = 0; group < groups; group++) {
      const places: [index: number, row: number, channel: number][] = [];
      for (let r = 0; r < rows; r++) {
        for (let c = group * size; c < (group + 1) * size; c++) {
          const row = span * rows + r;
          places.push([row * channels + c, row, c]);
        }
      }
      const mean = places.reduce((sum, [at]) => sum + x[at]!, 0) / places.length;
      const variance = places.reduce((sum, [at]) => sum + (x[at]! - mean) ** 2, 0) / places.length;
      for (const [at, row, c] of places) {
        let y = ((x[at]! - mean) / Math.sqrt(variance + eps)) * (weight?.[c] ?? 1) + (bias?.[c] ?? 0);
        if (scaleShift) {
          const [scale, shift] = scaleShift(row, c);
          y = y * (1 + scale) + shift;
        }
        out[at] = silu ? y / (1 + Math.exp(-y)) : y;
      }
    }
  }
  return out;
}

/** Layer norm is group norm with one group per row. */
export function layerNorm(args: Omit<NormCase, 'spans' | 'groups' | 'silu'>): Float64Array {
  return groupNorm({ ...args, spans: args.x.length / args.channels, groups: 1 });
}
