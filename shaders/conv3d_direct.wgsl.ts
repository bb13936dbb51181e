// 3D convolution straight from storage, in registers: no workgroup memory, no barrier. For software adapters, where
// those are slow, and for few channels. Not the GPU kernel: that is conv3d.wgsl.ts.
import {
  type DirectOptions,
  directInterface,
  directLabel,
  directStep,
  directStore,
  directSums,
  directThreads,
} from './direct.wgsl';
import { epilogueLabel } from './epilogue.wgsl';
import { counted, linearMain, type Shader, type ShaderParam, wgsl } from './wgsl';

export type Triple<T> = readonly [T, T, T];

/** What a convolution kernel is specialised for. Axes are in the order time, height, width. */
export interface ConvShape {
  readonly kernel: Triple<number>;
  readonly stride: Triple<number>;
  readonly padding: Triple<number>;
  /** Padding wraps around instead of being zero. */
  readonly circular: Triple<boolean>;
}

export interface Conv3dDirectOptions extends ConvShape, DirectOptions {
  /** The axis along which one thread makes `strip` neighbouring outputs, so that they share their inputs. */
  readonly axis: 'time' | 'width';
  readonly strip: number;
}

/** Sizes of input and output. */
export const convSizes = [
  ['time', 'u32'],
  ['height', 'u32'],
  ['width', 'u32'],
  ['cin', 'u32'],
  ['outTime', 'u32'],
  ['outHeight', 'u32'],
  ['outWidth', 'u32'],
  ['cout', 'u32'],
] as const satisfies readonly ShaderParam[];

/** The grid: strips per line, groups of output channels, threads in all. */
export const conv3dDirectParams = [
  ...convSizes,
  ['strips', 'u32'],
  ['groups', 'u32'],
  ['threads', 'u32'],
] as const satisfies readonly ShaderParam[];

const sizes = ['time', 'height', 'width'] as const;
const outSizes = ['outTime', 'outHeight', 'outWidth'] as const;

/**
 * Arguments: x f32 [B, T, H, W, Cin], weight f16 [taps, Cin, Cout], bias f32 [Cout]?, residual f32 like out?,
 * out f32 [B, To, Ho, Wo, Cout]. One thread makes a strip of outputs × `columns` vec4s of channels; it reads each input of
 * the strip once for all taps along the strip's axis.
 */
export function conv3dDirect(options: Conv3dDirectOptions): Shader {
  const { kernel, stride, padding, circular, strip, columns, unroll, aligned } = options;
  const along = options.axis === 'time' ? 0 : 2;
  const [outer, inner] = along === 0 ? [1, 2] : [0, 1]; // the other two axes
  const { declarations, ...shader } = directInterface(options, conv3dDirectParams);
  const taps = kernel[along];
  const inputs = (strip - 1) * stride[along] + taps;
  const tapStride = along === 0 ? kernel[1] * kernel[2] : 1;

  /** The input coordinate that one tap of an outer axis reads; leaves the loop body where it falls on zero padding. */
  const coordinate = (axis: number, tap: string): string => {
    const size = `i32(params.${sizes[axis]})`;
    const raw = `i32(o${axis} * ${stride[axis]}u + ${tap}) - ${padding[axis]}`;
    return circular[axis]
      ? `let i${axis} = u32((${raw} + ${size} * ${padding[axis]}) % ${size});`
      : wgsl`let r${axis} = ${raw};
      if (r${axis} < 0 || r${axis} >= ${size}) { continue; }
      let i${axis} = u32(r${axis});`;
  };
  const axisStride = ['params.height * params.width', 'params.width', '1u'];
  const alongSize = `i32(params.${sizes[along]})`;
  // Inputs of the strip: an element offset each, and, where padding is zero, whether it is inside.
  const places = counted(inputs).map((i) => {
    const raw = `first + ${i}`;
    if (circular[along]) return `let p${i} = u32((${raw} + ${alongSize} * ${padding[along]}) % ${alongSize}) * pitch;`;
    return `let p${i} = u32(clamp(${raw}, 0, ${alongSize} - 1)) * pitch; let v${i} = ${raw} >= 0 && ${raw} < ${alongSize};`;
  });
  const input = (i: number, channel: string): string => {
    const value = `x[base + p${i} + c + ${channel}]`;
    return circular[along] || padding[along] === 0 ? value : `select(0.0, ${value}, v${i})`;
  };
  return {
    ...shader,
    label: `conv3d direct ${kernel} stride ${stride} ${options.axis} ${directLabel(options, strip)} ${epilogueLabel(options)}`,
    code: wgsl`
${declarations}
${linearMain(directThreads)}
  if (thread >= params.threads) {
    return;
  }
  let groups = params.groups;
  let column = thread % groups * ${4 * columns}u;
  var rest = thread / groups;
#if ${along === 2}
  let o2 = rest % params.strips * ${strip}u;
  rest /= params.strips;
#else
  let o2 = rest % params.outWidth;
  rest /= params.outWidth;
#endif
  let o1 = rest % params.outHeight;
  rest /= params.outHeight;
#if ${along === 0}
  let o0 = rest % params.strips * ${strip}u;
  let batch = rest / params.strips;
#else
  let o0 = rest % params.outTime;
  let batch = rest / params.outTime;
#endif

  let pitch = ${axisStride[along]} * params.cin;
  let first = i32(o${along} * ${stride[along]}u) - ${padding[along]};
  ${places.join('\n  ')}
  ${directSums(options, strip)}
  let tapPitch = ${tapStride}u * params.cin * rowPitch;
  for (var k${outer} = 0u; k${outer} < ${kernel[outer]}u; k${outer}++) {
    ${coordinate(outer, `k${outer}`)}
    for (var k${inner} = 0u; k${inner} < ${kernel[inner]}u; k${inner}++) {
      ${coordinate(inner, `k${inner}`)}
      let base = (batch * params.time * ${axisStride[0]} + i${outer} * ${axisStride[outer]} + i${inner} * ${axisStride[inner]}) * params.cin;
#if ${along === 0}
      let tap = k1 * ${kernel[2]}u + k2;
#else
      let tap = (k0 * ${kernel[1]}u + k1) * ${kernel[2]}u;
#endif
      var row = tap * params.cin * rowPitch + column / ${aligned ? 4 : 1}u;
      for (var c = 0u; c < params.cin; c += ${unroll}u) {
        ${directStep(options, { outputs: strip, taps, stride: stride[along] }, input)}
      }
    }
  }
  let outPitch = ${along === 0 ? 'params.outHeight * params.outWidth' : '1u'};
  let place = ((batch * params.outTime + o0) * params.outHeight + o1) * params.outWidth + o2;
  ${directStore(options, strip, { count: `min(${strip}u, params.${outSizes[along]} - o${along})`, row: 'place', rowStep: 'outPitch' })}
}
`,
  };
}
