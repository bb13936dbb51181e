// Tensor → texture as WGSL: a fullscreen triangle that reads one frame of [B, T, H, W, 4] and composites it.
// A render shader, so not a Kernel: src/ops/present.ts owns its pipeline.
import { wgsl } from './wgsl';

export interface PresentOptions {
  /** 'opaque': over the background. 'premultiplied': alpha stays, the background is not used. */
  readonly output: 'opaque' | 'premultiplied';
}

/** Bytes of the uniform `Present`: four u32 (frame, width, height, _), canvas size as two f32, two f32 unused, background. */
export const PRESENT_UNIFORM_BYTES = 48;

/** Bilinear. Entry points `vertexMain` and `fragmentMain`; @binding(0) the tensor, @binding(1) the uniform. */
export function present({ output }: PresentOptions): string {
  return wgsl`
struct Present {
  frame: u32,
  width: u32,
  height: u32,
  unused: u32,
  canvas: vec2f,
  background: vec4f,
}
@group(0) @binding(0) var<storage, read> frames: array<vec4f>;
@group(0) @binding(1) var<uniform> present: Present;

@vertex
fn vertexMain(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
  return vec4f(select(-1.0, 3.0, index == 1u), select(-1.0, 3.0, index == 2u), 0.0, 1.0);
}

// Premultiplied colour of a pixel; outside, that of the nearest edge. The decoder may leave 0..1 a little.
fn pixel(x: i32, y: i32) -> vec4f {
  let column = u32(clamp(x, 0, i32(present.width) - 1));
  let row = u32(clamp(y, 0, i32(present.height) - 1));
  return saturate(frames[(present.frame * present.height + row) * present.width + column]);
}

@fragment
fn fragmentMain(@builtin(position) position: vec4f) -> @location(0) vec4f {
  let at = position.xy * vec2f(f32(present.width), f32(present.height)) / present.canvas;
  let corner = floor(at - 0.5);
  let part = at - 0.5 - corner;
  let x = i32(corner.x);
  let y = i32(corner.y);
  let color = mix(
    mix(pixel(x, y), pixel(x + 1, y), part.x),
    mix(pixel(x, y + 1), pixel(x + 1, y + 1), part.x),
    part.y);
#if ${output === 'opaque'}
  return vec4f(color.rgb + (1.0 - color.a) * present.background.rgb, 1.0);
#else
  return vec4f(min(color.rgb, vec3f(color.a)), color.a);
#endif
}
`;
}
