// Maps that touch each element once, as WGSL text: concatenation over channels, addition, SiLU, affine.
// Where a conv3d, a linear or a norm can do it in its own epilogue, that saves a pass over memory.
import { paramsStruct, type Shader, type ShaderParam, wgsl } from './wgsl';

export const elementwiseThreads = 64;

const thread = `@compute @workgroup_size(${elementwiseThreads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = (workgroup.y * workgroups.x + workgroup.x) * ${elementwiseThreads}u + local;
  if (id >= params.count) {
    return;
  }`;

const countParams = [['count', 'u32']] as const satisfies readonly ShaderParam[];

/** Arguments: a (, b), out f32, equal shapes. `count` is in vec4s; the last one may hang over into a binding's padding. */
export function elementwise(kind: 'add' | 'silu'): Shader {
  const add = kind === 'add';
  return {
    label: kind,
    access: add ? ['read', 'read', 'write'] : ['read', 'write'],
    params: countParams,
    code: wgsl`
${paramsStruct(countParams, add ? 3 : 2)}
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
#if ${add}
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
#else
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;
#endif
${thread}
#if ${add}
  out[id] = a[id] + b[id];
#else
  let v = a[id];
  out[id] = v / (1.0 + exp(-v));
#endif
}
`,
  };
}

export const affineParams = [
  ['channels', 'u32'],
  ['count', 'u32'],
] as const satisfies readonly ShaderParam[];

/** Arguments: x f32 [..., C], scale f32 [C], shift f32 [C], out f32 [..., C]. Sizes count vec4s if aligned. */
export function affine({ aligned }: { readonly aligned: boolean }): Shader {
  const type = aligned ? 'vec4f' : 'f32';
  return {
    label: `affine${aligned ? '' : ' unaligned'}`,
    access: ['read', 'read', 'read', 'write'],
    params: affineParams,
    code: wgsl`
${paramsStruct(affineParams, 4)}
@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read> scale: array<${type}>;
@group(0) @binding(2) var<storage, read> shift: array<${type}>;
@group(0) @binding(3) var<storage, read_write> out: array<${type}>;
${thread}
  let c = id % params.channels;
  out[id] = fma(x[id], scale[c], shift[c]);
}
`,
  };
}

export interface ConcatOptions {
  /** How many tensors, 2 to 7: the output is the eighth binding, WebGPU's default limit. */
  readonly inputs: number;
  /** Every channel count is a whole number of vec4s. */
  readonly aligned: boolean;
}

/** Where the channels of each input end in the output; in vec4s if aligned, as is `count`. */
export function concatParams(inputs: number): readonly ShaderParam[] {
  const ends = Array.from({ length: inputs }, (_, i) => [`end${i}`, 'u32'] as const);
  return [...ends, ['count', 'u32']];
}

/** Arguments: the inputs f32 [..., Ci], out f32 [..., sum of Ci]. One thread makes one element, or one vec4 of channels. */
export function concat({ inputs, aligned }: ConcatOptions): Shader {
  const params = concatParams(inputs);
  const type = aligned ? 'vec4f' : 'f32';
  const branches = Array.from({ length: inputs }, (_, i) => {
    const start = i === 0 ? '0u' : `params.end${i - 1}`;
    const copy = `{ out[id] = x${i}[row * (params.end${i} - ${start}) + c - ${start}]; }`;
    return i === inputs - 1 ? copy : `if (c < params.end${i}) ${copy} else `;
  });
  return {
    label: `concat of ${inputs}${aligned ? '' : ' unaligned'}`,
    access: [...Array.from({ length: inputs }, () => 'read' as const), 'write'],
    params,
    code: wgsl`
${paramsStruct(params, inputs + 1)}
${Array.from({ length: inputs }, (_, i) => `@group(0) @binding(${i}) var<storage, read> x${i}: array<${type}>;`).join('\n')}
@group(0) @binding(${inputs}) var<storage, read_write> out: array<${type}>;
${thread}
  let row = id / params.end${inputs - 1};
  let c = id % params.end${inputs - 1};
  ${branches.join('')}
}
`,
  };
}
