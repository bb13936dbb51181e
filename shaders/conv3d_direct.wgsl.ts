// 3D convolution straight from storage, in registers: no workgroup memory, no barrier. For software adapters, where
// those are slow, and for few channels. Not the GPU kernel: that is conv3d.wgsl.ts.
import { type DirectOptions, directInterface, directLabel, directStep, directStore, directSums } from './direct.wgsl';
import { epilogueLabel } from './epilogue.wgsl';
import { counted, linearMain, type Shader, type ShaderParam, wgsl, workgroupSize } from './wgsl';

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
  /**
   * A strip spans its whole axis, with stride 1 and zero padding: which of its inputs are padding is known beforehand, and
   * neither they nor their products are in the text.
   */
  readonly whole: boolean;
  /** Lines of outputs that one thread makes with the same weights; they may lie in different rows, frames and clips. */
  readonly lines: number;
}

/** Sizes of input and output. */
export const convSizes: readonly ShaderParam[] = [
  ['time', 'u32'],
  ['height', 'u32'],
  ['width', 'u32'],
  ['cin', 'u32'],
  ['outTime', 'u32'],
  ['outHeight', 'u32'],
  ['outWidth', 'u32'],
  ['cout', 'u32'],
];

/** The grid: strips per line, groups of output channels, lines, threads in all. */
const conv3dDirectParams: readonly ShaderParam[] = [
  ...convSizes,
  ['strips', 'u32'],
  ['groups', 'u32'],
  ['lines', 'u32'],
  ['threads', 'u32'],
];

const sizes = ['time', 'height', 'width'] as const;
const outSizes = ['outTime', 'outHeight', 'outWidth'] as const;

/**
 * Arguments: x f32 [B, T, H, W, Cin], weight f16 [taps, Cin, Cout], bias f32 [Cout]?, residual f32 like out?,
 * out f32 [B, To, Ho, Wo, Cout]. One thread makes `lines` strips of outputs × `columns` vec4s of channels; it reads each
 * input of a strip once for all taps along the strip's axis, and each weight once for all its outputs.
 */
export function conv3dDirect(options: Conv3dDirectOptions): Shader {
  const { kernel, stride, padding, circular, strip, whole, lines, unroll, aligned } = options;
  const along = options.axis === 'time' ? 0 : 2;
  const [outer, inner] = along === 0 ? ([1, 2] as const) : ([0, 1] as const); // the other two axes
  const { declarations, ...shader } = directInterface(options, conv3dDirectParams);
  const shape = { lines, outputs: strip, taps: kernel[along], stride: stride[along] };
  const inputs = (strip - 1) * stride[along] + kernel[along];
  const tapStride = along === 0 ? kernel[1] * kernel[2] : 1;
  const size = (axis: number): string => `i32(params.${sizes[axis]})`;
  const padded = (axis: number): boolean => !circular[axis] && padding[axis]! > 0;
  const J = counted(lines);

  const axisStride = ['params.height * params.width', 'params.width', '1u'];
  const outer1 = `params.${outSizes[outer]}`;
  const inner1 = `params.${outSizes[inner]}`;
  const prepare = (j: number): string => `let line${j} = min(firstLine + ${j}u, params.lines - 1u);
  let o${inner}_${j} = line${j} % ${inner1};
  let o${outer}_${j} = line${j} / ${inner1} % ${outer1};
  let clip${j} = line${j} / (${inner1} * ${outer1}) * params.time * ${axisStride[0]};`;
  /** The input coordinate that one tap of an outer axis reads. A single line leaves the loop where that is zero padding. */
  const coordinate = (axis: number, j: number): string => {
    const raw = `i32(o${axis}_${j} * ${stride[axis]}u + k${axis}) - ${padding[axis]}`;
    if (circular[axis]) return `let i${axis}_${j} = u32((${raw} + ${size(axis)} * ${padding[axis]}) % ${size(axis)});`;
    if (!padded(axis)) return `let i${axis}_${j} = u32(${raw});`;
    const outside = `r${axis}_${j} < 0 || r${axis}_${j} >= ${size(axis)}`;
    return lines === 1
      ? `let r${axis}_${j} = ${raw};
      if (${outside}) { continue; }
      let i${axis}_${j} = u32(r${axis}_${j});`
      : `let r${axis}_${j} = ${raw};
      let i${axis}_${j} = u32(clamp(r${axis}_${j}, 0, ${size(axis)} - 1));
      let inside${axis}_${j} = r${axis}_${j} == i32(i${axis}_${j});`;
  };
  const offset = (j: number): string => {
    const place = `i${outer}_${j} * ${axisStride[outer]} + i${inner}_${j} * ${axisStride[inner]}`;
    const checks = [outer, inner].filter((axis) => lines > 1 && padded(axis)).map((axis) => `inside${axis}_${j}`);
    const inside = checks.length > 0 ? `\n      let inside${j} = ${checks.join(' & ')};` : '';
    return `let base${j} = (clip${j} + ${place}) * params.cin;${inside}`;
  };
  const isPadding = (i: number): boolean => whole && (i < padding[along] || i >= inputs - padding[along]);
  // Inputs of a strip: an element offset each, and, where padding is zero, whether it is inside.
  const places = counted(inputs).map((i) => {
    if (whole) return isPadding(i) ? '' : `let p${i} = ${i - padding[along]}u * pitch;`;
    const raw = `first + ${i}`;
    if (circular[along])
      return `let p${i} = u32((${raw} + ${size(along)} * ${padding[along]}) % ${size(along)}) * pitch;`;
    return `let p${i} = u32(clamp(${raw}, 0, ${size(along)} - 1)) * pitch; let v${i} = ${raw} >= 0 && ${raw} < ${size(along)};`;
  });
  const input = (index: number, channel: string): string | undefined => {
    const [j, i] = [Math.floor(index / inputs), index % inputs];
    if (isPadding(i)) return undefined;
    const value = `x[base${j} + p${i} + c + ${channel}]`;
    const checks = [padded(along) && !whole && `v${i}`, lines > 1 && (padded(outer) || padded(inner)) && `inside${j}`];
    const inside = checks.filter(Boolean).join(' & ');
    return inside ? `select(0.0, ${value}, ${inside})` : value;
  };
  return {
    ...shader,
    label: `conv3d direct ${kernel} stride ${stride} ${options.axis}${whole ? ' whole' : ''} ${lines}x${directLabel(options, strip)} ${epilogueLabel(options)}`,
    code: wgsl`
${declarations}
${linearMain(workgroupSize)}
  if (thread >= params.threads) {
    return;
  }
  let groups = params.groups;
  let column = thread % groups * ${4 * options.columns}u;
  let rest = thread / groups;
  let o${along} = rest % params.strips * ${strip}u;
  let firstLine = rest / params.strips * ${lines}u;
  ${J.map(prepare)}

  let pitch = ${axisStride[along]!} * params.cin;
  let first = i32(o${along} * ${stride[along]}u) - ${padding[along]};
  ${places}
  ${directSums(options, lines * strip)}
  let tapPitch = ${tapStride}u * params.cin * rowPitch;
  for (var k${outer} = 0u; k${outer} < ${kernel[outer]}u; k${outer}++) {
    ${J.map((j) => coordinate(outer, j))}
    for (var k${inner} = 0u; k${inner} < ${kernel[inner]}u; k${inner}++) {
      ${J.map((j) => coordinate(inner, j))}
      ${J.map(offset)}
#if ${along === 0}
      let tap = k1 * ${kernel[2]}u + k2;
#else
      let tap = (k0 * ${kernel[1]}u + k1) * ${kernel[2]}u;
#endif
      var row = tap * params.cin * rowPitch + column / ${aligned ? 4 : 1}u;
      for (var c = 0u; c < params.cin; c += ${unroll}u) {
        ${directStep(options, shape, input)}
      }
    }
  }
#if ${along === 0}
  let outPitch = params.outHeight * params.outWidth;
#else
  let outPitch = 1u;
#endif
  ${directStore(options, shape, {
    lineCount: `min(${lines}u, params.lines - firstLine)`,
    count: `min(${strip}u, params.${outSizes[along]} - o${along})`,
    // Lines along time are places of a frame, lines along the width follow one another.
    row:
      along === 0
        ? '((firstLine + l) / outPitch * params.outTime + o0) * outPitch + (firstLine + l) % outPitch'
        : '(firstLine + l) * params.outWidth + o2',
    rowStep: 'outPitch',
  })}
}
`,
  };
}
