// Sinusoidal timestep embedding as WGSL. Not the two linear layers that follow it.
import { cosSin } from './precise.wgsl';
import { linearMain, type Shader, shaderInterface, wgsl, workgroupSize } from './wgsl';

/**
 * Arguments: t f32 [B], out [B, dim]. Cosines in the first half, sines in the second, of 1000·t·10000^(-i / (dim/2))
 * (Vaswani et al. 2017, in the order of Ho et al. 2020). One thread makes one cosine and its sine.
 */
export function timestepEmbedding(): Shader {
  const { declarations, ...shader } = shaderInterface(
    [
      ['timesteps', 'read', 'f32'],
      ['out', 'write', 'f32'],
    ],
    [
      ['half', 'u32'],
      ['count', 'u32'],
    ],
  );
  return {
    ...shader,
    label: 'timestep embedding',
    code: wgsl`
${declarations}
${cosSin}
${linearMain(workgroupSize)}
  if (thread >= params.count) {
    return;
  }
  let row = thread / params.half;
  let i = thread % params.half;
  let angle = 1000.0 * timesteps[row] * exp(-9.210340372 * f32(i) / f32(params.half));
  // Whole turns come off in two parts, so that no bit of the angle is lost: 2π = 6.28125 + 0.00193530718.
  let turns = floor(angle * 0.15915494309 + 0.5);
  let rest = (angle - turns * 6.28125) - turns * 0.00193530718;
  let value = cosSin(rest * 0.15915494309);
  out[row * 2u * params.half + i] = value.x;
  out[(row * 2u + 1u) * params.half + i] = value.y;
}
`,
  };
}
