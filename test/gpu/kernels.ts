// Small kernels for tests of the engine itself.
import { wgsl } from '../../shaders/wgsl';
import { type Kernel, linearGrid } from '../../src/gpu/kernel';
import type { Plan } from '../../src/gpu/plan';
import type { Tensor } from '../../src/gpu/tensor';

export const size = 64;

/** out = a * scale + shift, in place of no one. */
export const scaleShift: Kernel = {
  label: 'scaleShift',
  access: ['read', 'write'],
  params: [
    ['count', 'u32'],
    ['scale', 'f32'],
    ['shift', 'f32'],
  ],
  code: wgsl`
    struct Params { count: u32, scale: f32, shift: f32 }
    @group(0) @binding(0) var<storage, read> a: array<f32>;
    @group(0) @binding(1) var<storage, read_write> out: array<f32>;
    @group(0) @binding(2) var<uniform> params: Params;
    @compute @workgroup_size(${size})
    fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
      let i = (group.x + group.y * groups.x) * ${size}u + local;
      if (i >= params.count) { return; }
      out[i] = a[i] * params.scale + params.shift;
    }`,
};

export const addTo: Kernel = {
  label: 'addTo',
  access: ['read', 'readWrite'],
  params: [['count', 'u32']],
  code: wgsl`
    struct Params { count: u32 }
    @group(0) @binding(0) var<storage, read> a: array<f32>;
    @group(0) @binding(1) var<storage, read_write> sum: array<f32>;
    @group(0) @binding(2) var<uniform> params: Params;
    @compute @workgroup_size(${size}) fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x < params.count) { sum[id.x] += a[id.x]; }
    }`,
};

/** Slow for its size: a dependent chain of `rounds` steps per element. */
export const spin: Kernel = {
  label: 'spin',
  access: ['read', 'write'],
  params: [['rounds', 'u32']],
  code: wgsl`
    struct Params { rounds: u32 }
    @group(0) @binding(0) var<storage, read> a: array<f32>;
    @group(0) @binding(1) var<storage, read_write> out: array<f32>;
    @group(0) @binding(2) var<uniform> params: Params;
    @compute @workgroup_size(${size}) fn main(@builtin(global_invocation_id) id: vec3u) {
      var x = a[id.x];
      for (var i = 0u; i < params.rounds; i++) { x = fract(x * 1.1 + 0.3); }
      out[id.x] = x;
    }`,
};

export function affine(plan: Plan, x: Tensor, scale: number, shift: number): Tensor {
  const out = plan.alloc(x.shape);
  const count = x.shape.reduce((a, b) => a * b, 1);
  plan.call(scaleShift, [x, out], linearGrid(count, size), { count, scale, shift }, { flops: 2 * count });
  return out;
}
