// One sampler step as WGSL: guidance mix, prediction to x0, step, noise and the x0 for the preview in one pass.
// Not the numbers: src/diffusion makes the coefficients on the CPU in f64, and this only applies them.
import { philoxNormals } from './random.wgsl';
import { counted, linearMain, type Shader, type StorageBinding, shaderInterface, wgsl, workgroupSize } from './wgsl';

export interface NoiseUpdateOptions {
  /** The output holds an unconditional half, then a conditional one. */
  readonly guided: boolean;
  /** The step reads the x0 of the step before, and overwrites it with its own. */
  readonly previous: boolean;
  /** Some of x0 is given. */
  readonly known: boolean;
  /** The element count is a multiple of four. */
  readonly aligned: boolean;
}

/**
 * Arguments: step f32 [8] = (guidance, p, q, a, b, c, d, _), key u32 [4], output, x, known (if there is), denoised: the x0 of the
 * step before, if `previous`, and then this step's. x' takes the place of x. With o = u + guidance·(c - u):
 *   x0 = known where its second half is above 0, else p·x + q·o,   x' = a·x + b·x0 + c·previous + d·noise.
 * Where a, c or d is 0 its tensor has no say, even if it holds infinities. One thread makes four elements.
 */
export function noiseUpdate({ guided, previous, known, aligned }: NoiseUpdateOptions): Shader {
  const params = [['count', 'u32']] as const;
  const element = aligned ? 'vec4f' : 'f32';
  const bindings: StorageBinding[] = [
    ['step', 'read', 'f32'],
    ['key', 'read', 'u32'],
    ['output', 'read', element],
    ['x', 'readWrite', element],
  ];
  if (known) bindings.push(['known', 'read', element]);
  bindings.push(['denoised', previous ? 'readWrite' : 'write', element]);
  const { declarations, ...shader } = shaderInterface(bindings, params);
  // Past the end of an unaligned tensor loads give anything and stores are guarded.
  const load = (name: string, half = 0): string =>
    aligned
      ? `${name}[i${half ? ' + params.count / 4u' : ''}]`
      : `vec4f(${counted(4)
          .map((lane) => `${name}[4u * i + ${lane}u${half ? ' + params.count' : ''}]`)
          .join(', ')})`;
  const store = (name: string, value: string): string | string[] =>
    aligned
      ? `${name}[i] = ${value};`
      : counted(4).map(
          (lane) => `if (4u * i + ${lane}u < params.count) { ${name}[4u * i + ${lane}u] = ${value}[${lane}]; }`,
        );
  return {
    ...shader,
    label: `noise update${guided ? ' guided' : ''}${previous ? ' previous' : ''}${known ? ' known' : ''}${aligned ? '' : ' unaligned'}`,
    code: wgsl`
${declarations}
${philoxNormals}
${linearMain(workgroupSize)}
  let i = thread; // of four elements
  if (4u * i >= params.count) {
    return;
  }
  let old = ${load('x')};
#if ${guided}
  let unconditional = ${load('output')};
  let conditional = ${load('output', 1)};
  let prediction = unconditional + step[0] * (conditional - unconditional);
#else
  let prediction = ${load('output')};
#endif
#if ${known}
  let x0 = select(step[1] * old + step[2] * prediction, ${load('known')}, ${load('known', 1)} > vec4f());
#else
  let x0 = step[1] * old + step[2] * prediction;
#endif
  var value = step[4] * x0;
  if (step[3] != 0.0) {
    value += step[3] * old;
  }
#if ${previous}
  if (step[5] != 0.0) {
    value += step[5] * ${load('denoised')};
  }
#endif
  if (step[6] != 0.0) {
    value += step[6] * normalsFrom(key[3] + 4u * i, key[2], vec2u(key[0], key[1]));
  }
  ${store('x', 'value')}
  ${store('denoised', 'x0')}
}
`,
  };
}
