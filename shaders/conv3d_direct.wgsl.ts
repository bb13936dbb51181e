// 3D convolution straight from storage, in registers: no workgroup memory, no barrier. For software adapters, where
// those are slow, and for few channels. Not the GPU kernel: that is conv3d.wgsl.ts.
import { type EpilogueOptions, epilogueLabel, finish, gemmInterface, weightAt } from './epilogue.wgsl';
import { quadSwaps } from './matmul.wgsl';
import { type Shader, type ShaderParam, wgsl } from './wgsl';

export type Triple<T> = readonly [T, T, T];

/** What a convolution kernel is specialised for. Axes are in the order time, height, width. */
export interface ConvShape {
  readonly kernel: Triple<number>;
  readonly stride: Triple<number>;
  readonly padding: Triple<number>;
  /** Padding wraps around instead of being zero. */
  readonly circular: Triple<boolean>;
}

export interface Conv3dDirectOptions extends ConvShape, EpilogueOptions {
  /** The axis along which one thread makes `strip` neighbouring outputs, so that they share their inputs. */
  readonly axis: 'time' | 'width';
  readonly strip: number;
  /** Output channels of one thread, in vec4s. */
  readonly columns: number;
  /** Input channels of one step of the inner loop; Cin must be a multiple. More steps save passes over the sums. */
  readonly unroll: number;
  /**
   * The four threads of a quad make the same strip for different output channels and share its inputs through quad swaps
   * (needs `subgroups`, quads of consecutive threads, `unroll` 4, and a multiple of four `groups`).
   */
  readonly shared: boolean;
}

export const conv3dDirectThreads = 64;

/** Sizes of input and output, and the grid: strips per line, groups of output channels, threads in all. */
export const conv3dDirectParams = [
  ['time', 'u32'],
  ['height', 'u32'],
  ['width', 'u32'],
  ['cin', 'u32'],
  ['outTime', 'u32'],
  ['outHeight', 'u32'],
  ['outWidth', 'u32'],
  ['cout', 'u32'],
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
  const { kernel, stride, padding, circular, strip, columns, unroll, shared, aligned } = options;
  const along = options.axis === 'time' ? 0 : 2;
  const [outer, inner] = along === 0 ? [1, 2] : [0, 1]; // the other two axes
  const { declarations, access } = gemmInterface(options, 'f32', conv3dDirectParams);
  const taps = kernel[along];
  const inputs = (strip - 1) * stride[along] + taps;
  const tapStride = along === 0 ? kernel[1] * kernel[2] : 1;
  const unit = aligned ? 4 : 1;
  const each = <T>(count: number, text: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => text(i));

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
  const places = each(inputs, (i) => {
    const raw = `first + ${i}`;
    if (circular[along]) return `let p${i} = u32((${raw} + ${alongSize} * ${padding[along]}) % ${alongSize}) * pitch;`;
    return `let p${i} = u32(clamp(${raw}, 0, ${alongSize} - 1)) * pitch; let v${i} = ${raw} >= 0 && ${raw} < ${alongSize};`;
  });
  const load = (i: number, channel: string): string => {
    const value = `x[base + p${i} + c + ${channel}]`;
    return circular[along] || padding[along] === 0 ? value : `select(0.0, ${value}, v${i})`;
  };
  // x{u}_{i}: input i of the strip at the step's channel u, which in a quad is another one for each thread.
  const loads = each(inputs, (i) =>
    each(unroll, (u) => {
      if (!shared) return `let x${u}_${i} = vec4f(${load(i, `${u}u`)});`;
      if (u === 0) return `let q${i} = ${load(i, 'lane')}; let x0_${i} = vec4f(q${i});`;
      return `let x${u}_${i} = vec4f(${quadSwaps[u]}(q${i}));`;
    }).join('\n        '),
  );
  const weights = each(unroll, (u) =>
    each(taps, (tap) =>
      each(columns, (column) => {
        const channel = shared ? `pitch${u}` : `${u}u * rowPitch`;
        return `let w${u}_${tap}_${column} = weightAt(row + ${channel} + ${tap}u * tapPitch + ${(column * 4) / unit}u);`;
      }).join('\n        '),
    ).join('\n        '),
  );
  // One statement per sum: a software adapter pays for every masked store inside a loop.
  const products = each(strip, (s) =>
    each(columns, (column) => {
      let sum = `s${s}_${column}`;
      for (let u = 0; u < unroll; u++) {
        for (let tap = 0; tap < taps; tap++)
          sum = `fma(x${u}_${s * stride[along] + tap}, w${u}_${tap}_${column}, ${sum})`;
      }
      return `s${s}_${column} = ${sum};`;
    }).join('\n        '),
  );
  return {
    label: `conv3d direct ${kernel} stride ${stride} ${options.axis} ${strip}x${4 * columns} by ${unroll}${shared ? ' shared' : ''} ${epilogueLabel(options)}`,
    access,
    params: conv3dDirectParams,
    code: wgsl`
#if ${shared}
enable subgroups;
diagnostic(off, subgroup_uniformity);
#endif
${declarations}
${weightAt(options)}
${finish(options)}
@compute @workgroup_size(${conv3dDirectThreads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = (workgroup.y * workgroups.x + workgroup.x) * ${conv3dDirectThreads}u + local;
  if (id >= params.threads) {
    return;
  }
  let groups = params.groups;
  let column = id % groups * ${4 * columns}u;
  var rest = id / groups;
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
  let rowPitch = params.cout / ${unit}u;
  let tapPitch = ${tapStride}u * params.cin * rowPitch;
#if ${shared}
  let lane = local & 3u;
  ${each(4, (u) => `let pitch${u} = (lane ^ ${u}u) * rowPitch;`).join('\n  ')}
#endif
  ${each(strip, (s) => each(columns, (column) => `var s${s}_${column} = vec4f();`).join(' ')).join('\n  ')}
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
      var row = tap * params.cin * rowPitch + column / ${unit}u;
      for (var c = 0u; c < params.cin; c += ${unroll}u) {
        ${loads.join('\n        ')}
        ${weights.join('\n        ')}
        ${products.join('\n        ')}
        row += ${unroll}u * rowPitch;
      }
    }
  }
  let outPitch = ${along === 0 ? 'params.outHeight * params.outWidth' : '1u'};
  let place = ((batch * params.outTime + o0) * params.outHeight + o1) * params.outWidth + o2;
  var sums = array<vec4f, ${strip * columns}>(${each(strip, (s) => each(columns, (column) => `s${s}_${column}`)).join(', ')});
  let end = min(${strip}u, params.${outSizes[along]} - o${along});
  for (var s = 0u; s < end; s++) {
    ${each(columns, (column) => `finish(sums[s * ${columns}u + ${column}u], place + s * outPitch, column + ${4 * column}u);`).join('\n    ')}
  }
}
`,
  };
}
