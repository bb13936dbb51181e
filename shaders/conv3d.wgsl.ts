// 3D convolution by implicit GEMM: rows are output positions, depth is taps times input channels. For GPUs.
// Software adapters and small channel counts use conv3d_direct.wgsl.ts.
import { type ConvShape, convSizes } from './conv3d_direct.wgsl';
import { type EpilogueOptions, epilogueLabel, gemmInterface } from './epilogue.wgsl';
import { type GemmTile, gemmMain, gemmTileLabel } from './gemm.wgsl';
import { type Shader, type ShaderParam, wgsl } from './wgsl';

export interface Conv3dTiledOptions extends ConvShape, EpilogueOptions {
  readonly tile: GemmTile;
  /** See `GemmSource`. */
  readonly slices: number;
  /** The input channels come in whole vec4s. */
  readonly inputAligned: boolean;
}

/** `rows` is B · To · Ho · Wo. */
const conv3dTiledParams: readonly ShaderParam[] = [...convSizes, ['rows', 'u32']];

/**
 * Arguments: x f32 [B, T, H, W, Cin], weight f16 [taps, Cin, Cout], bias f32 [Cout]?, residual f32 like out?,
 * out f32 [B, To, Ho, Wo, Cout]. Circular padding must not exceed the input's extent.
 */
export function conv3dTiled(options: Conv3dTiledOptions): Shader {
  const { kernel, stride, padding, circular, tile, slices, inputAligned } = options;
  const { declarations, ...shader } = gemmInterface(options, inputAligned ? 'vec4f' : 'f32', conv3dTiledParams);
  const sizes = ['time', 'height', 'width'].map((name) => `i32(params.${name})`);
  const origin = (axis: number, out: string): string => `i32(${out} * ${stride[axis]}u) - ${padding[axis]}`;
  const prepare = (row: string, j: number): string => `let row${j} = ${row};
  let t${j} = ${origin(0, `row${j} / (params.outWidth * params.outHeight) % params.outTime`)};
  let h${j} = ${origin(1, `row${j} / params.outWidth % params.outHeight`)};
  let w${j} = ${origin(2, `row${j} % params.outWidth`)};
  let batch${j} = row${j} / (params.outWidth * params.outHeight * params.outTime) * params.time;`;
  // Circular padding is one wrap of the coordinate, zero padding one comparison; both once per tap, not per step.
  const place = (j: number): string => {
    const axes = (['t', 'h', 'w'] as const).map((name, axis) => {
      const raw = `${name}${j} + i32(k${axis})`;
      const text = circular[axis] ? `wrap(${raw}, ${sizes[axis]})` : raw;
      return `let p${axis}_${j} = ${text};`;
    });
    const checks = [0, 1, 2]
      .filter((axis) => !circular[axis] && padding[axis]! > 0)
      .map((axis) => `p${axis}_${j} >= 0 && p${axis}_${j} < ${sizes[axis]}`);
    return `${axes.join(' ')}
        inside${j} = ${[`row${j} < params.rows`, ...checks].join(' && ')};
        from${j} = (((batch${j} + u32(p0_${j})) * params.height + u32(p1_${j})) * params.width + u32(p2_${j})) * params.cin;`;
  };
  const state = `var k0 = tap / ${kernel[1] * kernel[2]}u; var k1 = tap / ${kernel[2]}u % ${kernel[1]}u; var k2 = tap % ${kernel[2]}u;`;
  const nextTap = `k2++;
        if (k2 == ${kernel[2]}u) { k2 = 0u; k1++; }
        if (k1 == ${kernel[1]}u) { k1 = 0u; k0++; }`;
  return {
    ...shader,
    label: `conv3d ${gemmTileLabel(tile, slices)} ${kernel} stride ${stride} ${epilogueLabel(options)}`,
    code: wgsl`
${declarations}
fn wrap(p: i32, size: i32) -> i32 {
  return select(select(p, p - size, p >= size), p + size, p < 0);
}
${gemmMain(options, { tile, slices, inputAligned, taps: kernel[0] * kernel[1] * kernel[2], state, prepare, place, nextTap })}
`,
  };
}
