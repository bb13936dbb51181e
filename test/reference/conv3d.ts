// 3D convolution in f64, one loop per axis.

export type Triple<T> = readonly [T, T, T];

export interface ReferenceConv {
  readonly input: readonly [batch: number, time: number, height: number, width: number, cin: number];
  readonly cout: number;
  readonly kernel: Triple<number>;
  readonly stride: Triple<number>;
  readonly padding: Triple<number>;
  readonly circular: Triple<boolean>;
}

export function convOutputShape({ input, cout, kernel, stride, padding }: ReferenceConv): number[] {
  const extents = [0, 1, 2].map((i) => Math.floor((input[i + 1]! + 2 * padding[i]! - kernel[i]!) / stride[i]!) + 1);
  return [input[0], ...extents, cout];
}

/** x [B, T, H, W, Cin], weight [taps, Cin, Cout] -> [B, To, Ho, Wo, Cout]; cross-correlation, as in PyTorch. */
export function referenceConv3d(conv: ReferenceConv, x: ArrayLike<number>, weight: ArrayLike<number>): Float64Array {
  const { input, cout, kernel, stride, padding, circular } = conv;
  const [, time, height, width, cin] = input;
  const size = [time, height, width];
  const [batch, outTime, outHeight, outWidth] = convOutputShape(conv) as [number, number, number, number, number];
  const out = new Float64Array(batch * outTime * outHeight * outWidth * cout);
  let at = 0;
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < outTime; t++)
      for (let h = 0; h < outHeight; h++)
        for (let w = 0; w < outWidth; w++, at += cout)
          for (let i = 0; i < kernel[0]; i++)
            for (let j = 0; j < kernel[1]; j++)
              for (let k = 0; k < kernel[2]; k++) {
                const place = [t, h, w].map((o, a) => {
                  const raw = o * stride[a]! + [i, j, k][a]! - padding[a]!;
                  return circular[a] ? ((raw % size[a]!) + size[a]!) % size[a]! : raw;
                });
                if (place.some((p, a) => p < 0 || p >= size[a]!)) continue;
                const from = (((b * time + place[0]!) * height + place[1]!) * width + place[2]!) * cin;
                const tap = ((i * kernel[1] + j) * kernel[2] + k) * cin * cout;
                for (let c = 0; c < cin; c++)
                  for (let o = 0; o < cout; o++) out[at + o]! += x[from + c]! * weight[tap + c * cout + o]!;
              }
  return out;
}
