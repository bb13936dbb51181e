// Where the time of a program goes, kernel by kernel. For the bench: the page itself never runs it.
import type { Program } from './program';

export interface KernelTime {
  readonly label: string;
  readonly calls: number;
  readonly milliseconds: number;
  /** 1e9 floating-point operations per second. */
  readonly gflops: number;
  /** 1e9 bytes read and written per second. */
  readonly gigabytesPerSecond: number;
}

/**
 * Runs the program, each dispatch by itself, and sums by kernel label, slowest first. Times come from
 * timestamp queries where the device has them, else from the wall clock, less the latency of an empty submit.
 * @param runs of which the mean is taken: browsers round timestamps to 0.1 ms, which is longer than many a kernel
 */
export async function profile(program: Program, runs = 1): Promise<KernelTime[]> {
  const times = new Float64Array(program.length);
  for (let run = 0; run < runs; run++) {
    const seen = program.gpu.features.timestamps ? await byTimestamps(program) : await byClock(program);
    seen.forEach((milliseconds, i) => {
      times[i]! += milliseconds / runs;
    });
  }
  const sums = new Map<string, { calls: number; milliseconds: number; flops: number; bytes: number }>();
  program.calls.forEach(({ label, flops, bytes }, i) => {
    const sum = sums.get(label) ?? { calls: 0, milliseconds: 0, flops: 0, bytes: 0 };
    sum.calls++;
    sum.milliseconds += times[i]!;
    sum.flops += flops;
    sum.bytes += bytes;
    sums.set(label, sum);
  });
  return [...sums]
    .map(([label, { calls, milliseconds, flops, bytes }]) => {
      const perSecond = milliseconds > 0 ? 1e3 / milliseconds / 1e9 : 0;
      return { label, calls, milliseconds, gflops: flops * perSecond, gigabytesPerSecond: bytes * perSecond };
    })
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

/** Two timestamps per pass; WebGPU allows 4096 in a query set. */
const passesPerSet = 2048;

async function byTimestamps(program: Program): Promise<Float64Array> {
  const { gpu, length } = program;
  const times = new Float64Array(length);
  for (let from = 0; from < length; from += passesPerSet) {
    const count = Math.min(passesPerSet, length - from);
    const querySet = gpu.device.createQuerySet({ type: 'timestamp', count: 2 * count });
    const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
    const resolved = gpu.createBuffer(16 * count, usage, 'timestamps');
    try {
      for (let i = 0; i < count; i++) {
        const ends = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
        gpu.submit('profile', (encoder) => program.run(encoder, from + i, from + i + 1, ends));
      }
      gpu.submit('timestamps', (encoder) => encoder.resolveQuerySet(querySet, 0, 2 * count, resolved, 0));
      const ticks = new BigUint64Array(await gpu.readBuffer(resolved, 0, 16 * count));
      for (let i = 0; i < count; i++) times[from + i] = Number(ticks[2 * i + 1]! - ticks[2 * i]!) / 1e6;
    } finally {
      querySet.destroy();
      gpu.freeBuffer(resolved);
    }
  }
  return times;
}

async function byClock(program: Program): Promise<Float64Array> {
  const times = new Float64Array(program.length);
  for (let i = 0; i < program.length; i++) {
    times[i] = await program.gpu.time('profile', (encoder) => program.run(encoder, i, i + 1));
  }
  return times;
}
