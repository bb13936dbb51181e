// What the adapter can do at most, measured: fused multiply-adds without memory, and copies without arithmetic.
import { counted, linearMain, shaderInterface, wgsl, workgroupSize } from '../../shaders/wgsl';
import type { Gpu } from '../gpu/device';
import { type Kernel, linearGrid } from '../gpu/kernel';
import { Plan } from '../gpu/plan';
import type { Tensor } from '../gpu/tensor';
import type { Ceilings } from './result';

/** Multiply-adds of one chain in one statement: a software renderer writes a variable back after each statement. */
const depth = 8;

/** Every thread steps `chains` vec4s at once, none of which waits for another. */
function multiplyAdds(chains: number): Kernel {
  const names = counted(chains).map((i) => `a${i}`);
  const { declarations, ...shader } = shaderInterface(
    [['out', 'write', 'vec4f']],
    [
      ['steps', 'u32'],
      ['factor', 'f32'],
      ['term', 'f32'],
    ],
  );
  const stepped = (name: string) => counted(depth).reduce((sum) => `fma(${sum}, factor, term)`, name);
  return {
    ...shader,
    label: `fma ${chains}`,
    code: wgsl`
${declarations}
${linearMain(workgroupSize)}
  let factor = vec4f(params.factor);
  let term = vec4f(params.term);
  let start = f32(thread) * 1e-6;
  ${names.map((name, i) => `var ${name} = vec4f(start + f32(${i}));`)}
  for (var step = 0u; step < params.steps; step++) {
    ${names.map((name) => `${name} = ${stepped(name)};`)}
  }
  out[thread] = ${names.join(' + ')};
}
`,
  };
}

function copy(): Kernel {
  const { declarations, ...shader } = shaderInterface(
    [
      ['source', 'read', 'vec4f'],
      ['copied', 'write', 'vec4f'],
    ],
    [],
  );
  return {
    ...shader,
    label: 'copy',
    code: wgsl`
${declarations}
${linearMain(workgroupSize)}
  if (thread < arrayLength(&copied)) {
    copied[thread] = source[thread];
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
      plan.call(multiplyAdds(chains), [out], linearGrid(threads, workgroupSize), { steps, factor: 0.9999, term: 1e-4 });
      return out;
    });
    gflops = Math.max(gflops, (perStep * steps) / seconds / 1e9);
  }
  const vectors = (gpu.isSoftware ? 1 << 24 : 1 << 27) / 16;
  const seconds = await best(gpu, (plan) => {
    const from = plan.input([vectors, 4], 'f32', 'copy source');
    const to = plan.alloc([vectors, 4]);
    plan.call(copy(), [from, to], linearGrid(vectors, workgroupSize));
    return to;
  });
  return { gflops, gigabytesPerSecond: (32 * vectors) / seconds / 1e9 };
}

/** Milliseconds that a submit takes at least, by repeating: a fast GPU is through with one run before its end is heard of. */
const longEnough = 40;

/** Seconds of one run in the fastest submit. */
async function best(gpu: Gpu, build: (plan: Plan) => Tensor): Promise<number> {
  const plan = new Plan(gpu, 'ceiling');
  plan.keep(build(plan));
  const program = await plan.compile();
  const timed = async (repeats: number): Promise<number> => {
    const milliseconds = await gpu.time(plan.label, (encoder) => {
      for (let i = 0; i < repeats; i++) program.run(encoder);
    });
    return milliseconds / repeats;
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
