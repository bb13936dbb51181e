// Runs the bench's tasks one after another, each in a thread of its own with a time limit, and gathers the result.
// It draws nothing and measures nothing itself.
import { type BenchEvent, coldRuntimes, type Task, type TaskMessage } from './protocol';
import {
  type ArmResult,
  type BenchResult,
  type CaseResult,
  type Ceilings,
  type Group,
  groups,
  ratiosOf,
} from './result';

export interface RunOptions {
  /** Default: all. */
  readonly only?: readonly Group[];
  /** The first case of each group alone. */
  readonly quick?: boolean;
  /** Measure variants of kernels first and remember the fastest, in `seconds` at most. */
  readonly tune?: { readonly seconds?: number | undefined } | undefined;
  readonly modelUrl: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Minutes that a task may take. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export type RunEvent = BenchEvent | { readonly type: 'task'; readonly text: string };

type Draft = { -readonly [Key in keyof BenchResult]: BenchResult[Key] } & {
  cases: CaseResult[];
  failures: string[];
};

/**
 * Yields what happens, with the result so far; the last one is whole. A task that fails or takes too long is told in the
 * result's `failures`, and the next one begins.
 */
export async function* runBench(options: RunOptions): AsyncGenerator<{ event: RunEvent; result: BenchResult }> {
  const { only = groups, quick = false, tune, modelUrl, versions, limit = 10, signal } = options;
  const start = performance.now();
  const draft: Draft = {
    schema: 1,
    date: new Date().toISOString(),
    seconds: 0,
    machine: { adapter: '', isSoftware: false, features: [], userAgent: navigator.userAgent, threads: 0 },
    versions,
    ceilings: null,
    cases: [],
    plans: [],
    predictions: [],
    download: null,
    ratios: ratiosOf([]),
    failures: [],
  };
  const cold: ArmResult[] = [];
  for (const task of tasks(only, quick, tune)) {
    if (signal?.aborted) break;
    const name = nameOf(task);
    yield { event: { type: 'task', text: name }, result: { ...draft } };
    const message = { task, modelUrl, large: takesLarge(draft.ceilings) };
    for await (const event of perform(message, limit * 60_000, signal)) {
      if (event.type === 'adapter') Object.assign(draft, { machine: event.machine, ceilings: event.ceilings });
      else if (event.type === 'tuned') draft.tuning = event.tuning;
      else if (event.type === 'counted') Object.assign(draft, { plans: event.plans, predictions: event.predictions });
      else if (event.type === 'case') draft.cases = [...draft.cases, event.result];
      else if (event.type === 'failure') draft.failures = [...draft.failures, `${name}: ${event.text}`];
      else if (event.type === 'cold') {
        cold.push(event.arm);
        draft.cases = [...draft.cases.filter(({ group }) => group !== 'cold_start'), coldCase(cold)];
      }
      draft.ratios = ratiosOf(draft.cases);
      draft.seconds = (performance.now() - start) / 1e3;
      yield { event, result: { ...draft } };
    }
  }
}

/**
 * 1e9 operations per second from which an adapter gets the large shapes. A peer's simple kernel may reach a hundredth of its
 * adapter's rate, and the largest shape has 15e9 operations: here that is 1.5 s in one dispatch. After about 2 s a watchdog takes
 * the device from all arms.
 */
const largeGflops = 1000;

/** By what was measured: the smallest GPUs are no faster than software renderers. */
function takesLarge(ceilings: Ceilings | null): boolean {
  return ceilings !== null && ceilings.gflops >= largeGflops;
}

function tasks(only: readonly Group[], quick: boolean, tune: RunOptions['tune']): Task[] {
  return [
    { kind: 'adapter' },
    ...(tune ? [{ kind: 'tune', ...tune } as const] : []),
    ...groups
      .filter((group) => only.includes(group))
      .flatMap((group): Task[] =>
        group === 'cold_start'
          ? coldRuntimes.map((runtime) => ({ kind: 'cold_start', runtime }))
          : [{ kind: 'group', group, quick }],
      ),
  ];
}

export function nameOf(task: Task): string {
  if (task.kind === 'adapter') return 'ceilings';
  if (task.kind === 'tune') return 'tuning';
  return task.kind === 'group' ? task.group : `cold_start of ${task.runtime}`;
}

function coldCase(arms: readonly ArmResult[]): CaseResult {
  return {
    group: 'cold_start',
    name: 'runtime, weights, shaders and one denoiser step of 36 frames',
    source: 'embedded model',
    cost: { flops: 0, bytes: 0 },
    arms,
  };
}

/** What the thread says, until it ends, dies, takes too long or is told to stop. */
async function* perform(
  message: TaskMessage,
  limit: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<BenchEvent> {
  const thread = new Worker(new URL('./bench.worker.ts', import.meta.url), { type: 'module', name: 'flipbook-bench' });
  const events: BenchEvent[] = [];
  let wake = () => {};
  const tell = (event: BenchEvent): void => {
    events.push(event);
    wake();
  };
  const fail = (text: string): void => {
    tell({ type: 'failure', text });
    tell({ type: 'end' });
  };
  const stop = (): void => fail('it was stopped');
  const timer = setTimeout(() => fail(`it took longer than ${limit / 60_000} minutes`), limit);
  signal?.addEventListener('abort', stop, { once: true });
  thread.addEventListener('message', ({ data }: MessageEvent<BenchEvent>) => tell(data));
  thread.addEventListener('error', (event) => {
    event.preventDefault();
    fail(event.message || 'its script did not load');
  });
  thread.postMessage(message);
  try {
    for (;;) {
      const event = events.shift();
      if (event?.type === 'end') return;
      if (event) yield event;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
    thread.terminate();
  }
}
