// Maps that touch each element once, as WGSL text: concatenation over channels, addition, SiLU, affine, a denoiser's velocity.
// Where a conv3d, a linear or a norm can do it in its own epilogue, that saves a pass over memory.
import { siluFunction } from './activation.wgsl';
import { counted, linearMain, type Shader, type ShaderParam, shaderInterface, wgsl, workgroupSize } from './wgsl';

const main = `${linearMain(workgroupSize)}
  if (thread >= params.count) {
    return;
  }`;

const countParams: readonly ShaderParam[] = [['count', 'u32']];

/** Arguments: a (, b), out f32, equal shapes. `count` is in vec4s; the last one may hang over into a binding's padding. */
export function elementwise(kind: 'add' | 'silu'): Shader {
  const add = kind === 'add';
  const { declarations, ...shader } = shaderInterface(
    [['a', 'read', 'vec4f'], ...(add ? [['b', 'read', 'vec4f'] as const] : []), ['out', 'write', 'vec4f']],
    countParams,
  );
  return {
    ...shader,
    label: kind,
    code: wgsl`
${declarations}
${siluFunction('vec4f')}
${main}
#if ${add}
  out[thread] = a[thread] + b[thread];
#else
  out[thread] = silu(a[thread]);
#endif
}
`,
  };
}

const affineParams: readonly ShaderParam[] = [
  ['channels', 'u32'],
  ['count', 'u32'],
];

/** Arguments: x f32 [..., C], scale f32 [C], shift f32 [C], out f32 [..., C]. Sizes count vec4s if aligned. */
export function affine({ aligned }: { readonly aligned: boolean }): Shader {
  const type = aligned ? 'vec4f' : 'f32';
  const { declarations, ...shader } = shaderInterface(
    [
      ['x', 'read', type],
      ['scale', 'read', type],
      ['shift', 'read', type],
      ['out', 'write', type],
    ],
    affineParams,
  );
  return {
    ...shader,
    label: `affine${aligned ? '' : ' unaligned'}`,
    code: wgsl`
${declarations}
${main}
  let c = thread % params.channels;
  out[thread] = fma(x[thread], scale[c], shift[c]);
}
`,
  };
}

const velocityParams: readonly ShaderParam[] = [
  ['outline', 'u32'],
  ['channels', 'u32'],
  ['clip', 'u32'],
  ['count', 'u32'],
  ['least', 'f32'],
];

/**
 * Arguments: x f32 [B, ..., C], predicted like it, conditions f32 [B, ..., 2C + 4] (known latents, whether they are known, the
 * picture, and the flags anchor frame, picture given, clip), gates f32 [B, 2C] (of x, of a clip's picture), t f32 [B], out
 * like x. One thread makes one element; `clip` counts those of one of B, `outline` is the first channel of which `predicted`
 * is x0 and not a velocity.
 */
export function velocity(): Shader {
  const { declarations, ...shader } = shaderInterface(
    [
      ['x', 'read', 'f32'],
      ['predicted', 'read', 'f32'],
      ['conditions', 'read', 'f32'],
      ['gates', 'read', 'f32'],
      ['t', 'read', 'f32'],
      ['out', 'write', 'f32'],
    ],
    velocityParams,
  );
  return {
    ...shader,
    label: 'velocity',
    code: wgsl`
${declarations}
${main}
  let channels = params.channels;
  let c = thread % channels;
  let sample = thread / params.clip;
  let row = thread / channels * (2u * channels + 4u) + channels + 1u;
  let gate = sample * 2u * channels + c;
  let isClip = conditions[row + channels + 2u];
  let noisy = x[thread];
  let picture = conditions[row + c];
  let output = predicted[thread] + gates[gate] * noisy + gates[gate + channels] * isClip * picture;
  out[thread] = select((noisy - output) / max(t[sample], params.least), output, c < params.outline);
}
`,
  };
}

export interface ConcatOptions {
  /** How many tensors, 1 (a copy) to 7: the output is the eighth binding, WebGPU's default limit. */
  readonly inputs: number;
  /** Every channel count is a whole number of vec4s. */
  readonly aligned: boolean;
}

/** Where the channels of each input end in the output; in vec4s if aligned, as is `count`. */
function concatParams(inputs: number): readonly ShaderParam[] {
  const ends = counted(inputs).map((i) => [`end${i}`, 'u32'] as const);
  return [...ends, ['count', 'u32']];
}

/** Arguments: the inputs f32 [..., Ci], out f32 [..., sum of Ci]. One thread makes one element, or one vec4 of channels. */
export function concat({ inputs, aligned }: ConcatOptions): Shader {
  const params = concatParams(inputs);
  const type = aligned ? 'vec4f' : 'f32';
  const sources = counted(inputs).map((i) => [`x${i}`, 'read', type] as const);
  const { declarations, ...shader } = shaderInterface([...sources, ['out', 'write', type]], params);
  const branches = counted(inputs).map((i) => {
    const start = i === 0 ? '0u' : `params.end${i - 1}`;
    const copy = `{ out[thread] = x${i}[row * (params.end${i} - ${start}) + c - ${start}]; }`;
    return i === inputs - 1 ? copy : `if (c < params.end${i}) ${copy} else `;
  });
  return {
    ...shader,
    label: `concat of ${inputs}${aligned ? '' : ' unaligned'}`,
    code: wgsl`
${declarations}
${main}
  let row = thread / params.end${inputs - 1};
  let c = thread % params.end${inputs - 1};
  ${branches.join('')}
}
`,
  };
}
