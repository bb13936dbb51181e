// The timestep embedding in f64.

export function timestepEmbedding(timesteps: ArrayLike<number>, dim: number): Float64Array {
  const half = dim / 2;
  const out = new Float64Array(timesteps.length * dim);
  for (let b = 0; b < timesteps.length; b++) {
    for (let i = 0; i < half; i++) {
      const angle = 1000 * timesteps[b]! * Math.exp((-Math.log(10000) * i) / half);
      out[b * dim + i] = Math.cos(angle);
      out[b * dim + half + i] = Math.sin(angle);
    }
  }
  return out;
}
