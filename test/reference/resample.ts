// Shuffles, nearest upsampling and average downsampling in f64, written from the scatter side: each input element says
// where it goes. Activations are [B, T, H, W, C].

export type Extents = readonly [batch: number, time: number, height: number, width: number, channels: number];
type Place = [b: number, t: number, h: number, w: number, c: number];

function scatter(x: ArrayLike<number>, from: Extents, to: Extents, where: (place: Place) => Place[]): Float64Array {
  const out = new Float64Array(to.reduce((a, b) => a * b, 1));
  const [B, T, H, W, C] = from;
  let at = 0;
  for (let b = 0; b < B; b++)
    for (let t = 0; t < T; t++)
      for (let h = 0; h < H; h++)
        for (let w = 0; w < W; w++)
          for (let c = 0; c < C; c++, at++)
            for (const place of where([b, t, h, w, c])) {
              const index = place.reduce((sum, coordinate, axis) => sum * to[axis]! + coordinate, 0);
              out[index]! += x[at]!;
            }
  return out;
}

/** torch.nn.functional.pixel_shuffle, channels last. */
export function referencePixelShuffle(x: ArrayLike<number>, [b, t, h, w, c]: Extents, r: number): Float64Array {
  return scatter(x, [b, t, h, w, c], [b, t, h * r, w * r, c / (r * r)], ([n, f, y, z, k]) => [
    [n, f, y * r + (Math.floor(k / r) % r), z * r + (k % r), Math.floor(k / (r * r))],
  ]);
}

/** torch.nn.functional.pixel_unshuffle, channels last. */
export function referencePixelUnshuffle(x: ArrayLike<number>, [b, t, h, w, c]: Extents, r: number): Float64Array {
  return scatter(x, [b, t, h, w, c], [b, t, h / r, w / r, c * r * r], ([n, f, y, z, k]) => [
    [n, f, Math.floor(y / r), Math.floor(z / r), k * r * r + (y % r) * r + (z % r)],
  ]);
}

export function referenceTimeShuffle(x: ArrayLike<number>, [b, t, h, w, c]: Extents, r: number): Float64Array {
  const channels = c / r;
  return scatter(x, [b, t, h, w, c], [b, t * r, h, w, channels], ([n, f, y, z, k]) => [
    [n, f * r + Math.floor(k / channels), y, z, k % channels],
  ]);
}

export function referenceTimeUnshuffle(x: ArrayLike<number>, [b, t, h, w, c]: Extents, r: number): Float64Array {
  return scatter(x, [b, t, h, w, c], [b, t / r, h, w, c * r], ([n, f, y, z, k]) => [
    [n, Math.floor(f / r), y, z, (f % r) * c + k],
  ]);
}

type Factors = readonly [number, number, number];

export function referenceUpsampleNearest(
  x: ArrayLike<number>,
  [b, t, h, w, c]: Extents,
  factors: Factors,
): Float64Array {
  const [rt, rh, rw] = factors;
  return scatter(x, [b, t, h, w, c], [b, t * rt, h * rh, w * rw, c], ([n, f, y, z, k]) => {
    const places: Place[] = [];
    for (let i = 0; i < rt; i++)
      for (let j = 0; j < rh; j++) for (let l = 0; l < rw; l++) places.push([n, f * rt + i, y * rh + j, z * rw + l, k]);
    return places;
  });
}

export function referenceDownsampleAverage(
  x: ArrayLike<number>,
  [b, t, h, w, c]: Extents,
  factors: Factors,
): Float64Array {
  const [rt, rh, rw] = factors;
  return scatter(x, [b, t, h, w, c], [b, t / rt, h / rh, w / rw, c], ([n, f, y, z, k]) => [
    [n, Math.floor(f / rt), Math.floor(y / rh), Math.floor(z / rw), k],
  ]).map((sum) => sum / (rt * rh * rw));
}
