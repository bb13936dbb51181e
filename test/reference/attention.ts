// softmax(q kᵀ / sqrt(d) + bias) v for one batch of rows, all heads, in f64. Callers pick the rows that attend to each other.

export interface AttentionCase {
  readonly heads: number;
  /** Query rows of C numbers. */
  readonly q: readonly ArrayLike<number>[];
  readonly k: readonly ArrayLike<number>[];
  readonly v: readonly ArrayLike<number>[];
  /** 1 keep, 0 padding, per key. */
  readonly mask?: ArrayLike<number>;
  /** Added to the logit of head h, query i, key j. */
  readonly bias?: (head: number, i: number, j: number) => number;
}

/** One output row of C numbers per query. All keys masked: zeros. */
export function attention({ heads, q, k, v, mask, bias }: AttentionCase): Float64Array[] {
  const width = q[0]!.length;
  const headDim = width / heads;
  return q.map((query, i) => {
    const out = new Float64Array(width);
    for (let head = 0; head < heads; head++) {
      const channels = Array.from({ length: headDim }, (_, d) => head * headDim + d);
      const logits = k.map((key, j) => {
        if (mask && mask[j] === 0) return Number.NEGATIVE_INFINITY;
        const dot = channels.reduce((sum, c) => sum + query[c]! * key[c]!, 0);
        return dot / Math.sqrt(headDim) + (bias?.(head, i, j) ?? 0);
      });
      const top = Math.max(...logits);
      if (top === Number.NEGATIVE_INFINITY) continue;
      const weights = logits.map((logit) => Math.exp(logit - top));
      const sum = weights.reduce((a, b) => a + b, 0);
      for (const c of channels) out[c] = weights.reduce((total, w, j) => total + w * v[j]![c]!, 0) / sum;
    }
    return out;
  });
}

/** Rows of `width` numbers from a dense tensor: `stride` numbers apart, `offset` into the row. */
export function rowsOf(data: ArrayLike<number>, stride: number, offset: number, width: number): Float64Array[] {
  return Array.from({ length: data.length / stride }, (_, row) =>
    Float64Array.from({ length: width }, (_, c) => data[row * stride + offset + c]!),
  );
}

/** The signed way from frame i to frame j on a circle of T frames, the shorter way; half a turn is forward. */
export function circularOffset(frames: number, i: number, j: number): number {
  const forward = (((j - i) % frames) + frames) % frames;
  return forward <= frames / 2 ? forward : forward - frames;
}
