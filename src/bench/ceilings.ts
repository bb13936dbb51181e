// What the adapter can do at most, measured: fused multiply-adds without memory, and copies without arithmetic.
import { counted, paramsStruct, wgsl } from '../../shaders/wgsl';
import type { Gpu } from '../gpu/device';
import { type Kernel, linearGrid } from '../gpu/kernel';
import { Plan } from '../gpu/plan';
import type { Tensor } from '../gpu/tensor';
import type { Ceilings } from './result';
import { Readback } from './runtimes/device';

const groupSize = 64;

/** Multiply-adds of one chain in one statement: a software renderer writes a variable back after each statement. */
const depth = 8;

/** Every thread steps `chains` vec4s at once, none of which waits for another. */
function multiplyAdds(chains: number): Kernel {
  const names = Array.from({ length: chains }, (_, i) => `a${i}`);
  const params = [
    ['steps', 'u32'],
    ['factor', 'f32'],
    ['term', 'f32'],
  ] as const;
  return {
    label: `fma ${chains}`,
    access: ['write'],
    params,
    code: wgsl`
${paramsStruct(params, 1)}@group(0) @binding(0) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(${groupSize})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let factor = vec4f(params.factor);
  let term = vec4f(params.term);
  let start = f32(id.x) * 1e-6;
${names.map((name, i) => `  var ${name} = vec4f(start + f32(${i}));\n`).join('')}
  for (var step = 0u; step < params.steps; step++) {
${names.map((name) => `    ${name} = ${counted(depth).reduce((sum) => `fma(${sum}, factor, term)`, name)};\n`).join('')}
  }
  out[id.x] = ${names.join(' + ')};
}
`,
  };
}

export function copy(): Kernel {
  return {
    label: 'copy',
    access: ['read', 'write'],
    params: [['groups', 'u32']],
    code: wgsl`
${paramsStruct([['groups', 'u32']], 2)}@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> copied: array<vec4f>;

@compute @workgroup_size(${groupSize})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (group.x + group.y * params.groups) * ${groupSize}u + local;
  if (i < arrayLength(&copied)) {
    copied[i] = source[i];
  }
}
`,
  };
}

/** The best of several attempts: a ceiling is what was reached once. */
export async function measureCeilings(gpu: Gpu): Promise<Ceilings> {
  const threads = gpu.isSoftware ? 4096 : 1 << 18;
  let gflops = 0;
  for (const chains of [2, 4, 8]) {
    const perStep = 2 * 4 * chains * depth * threads;
    const steps = Math.max(1, Math.round((gpu.isSoftware ? 4e8 : 4e10) / perStep));
    const seconds = await best(gpu, (plan) => {
      const out = plan.alloc([threads, 4]);
      plan.call(multiplyAdds(chains), [out], linearGrid(threads, groupSize), { steps, factor: 0.9999, term: 1e-4 });
      return out;
    });
    gflops = Math.max(gflops, (perStep * steps) / seconds / 1e9);
  }
  const vectors = (gpu.isSoftware ? 1 << 24 : 1 << 27) / 16;
  const seconds = await best(gpu, (plan) => {
    const from = plan.input([vectors, 4], 'f32', 'copy source');
    const to = plan.alloc([vectors, 4]);
    const grid = linearGrid(vectors, groupSize);
    plan.call(copy(), [from, to], grid, { groups: grid[0] });
    return to;
  });
  return { gflops, gigabytesPerSecond: (32 * vectors) / seconds / 1e9 };
}

/** Milliseconds that a submit takes at least, by repeating: a fast GPU is through with one run before its end is heard of. */
const longEnough = 40;

/** Seconds of one run in the fastest submit, less what an empty submit takes. */
async function best(gpu: Gpu, build: (plan: Plan) => Tensor): Promise<number> {
  await gpu.measureLatency();
  const plan = new Plan(gpu, 'ceiling');
  plan.keep(build(plan));
  const program = await plan.compile();
  const readback = new Readback(gpu.device);
  const timed = async (repeats: number): Promise<number> => {
    const encoder = gpu.device.createCommandEncoder();
    for (let i = 0; i < repeats; i++) program.run(encoder);
    const start = performance.now();
    gpu.device.queue.submit([encoder.finish()]);
    await readback.wait();
    const elapsed = performance.now() - start;
    return Math.max(elapsed - gpu.latency, elapsed / 10) / repeats;
  };
  try {
    await timed(1); // the driver may compile now
    const repeats = Math.min(200, Math.ceil(longEnough / (await timed(1))));
    let milliseconds = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 5; attempt++) milliseconds = Math.min(milliseconds, await timed(repeats));
    return milliseconds / 1e3;
  } finally {
    program.dispose();
  }
}
