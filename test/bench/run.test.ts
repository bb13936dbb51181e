// How the bench goes through its tasks: what each thread is told. Threads are made up; nothing is measured.
import { afterEach, expect, test, vi } from 'vitest';
import type { Context } from '../../src/bench/case';
import { linearCases } from '../../src/bench/kernels/linear';
import type { BenchEvent, TaskMessage } from '../../src/bench/protocol';
import type { Ceilings, Machine } from '../../src/bench/result';
import { runBench } from '../../src/bench/run';

afterEach(() => void vi.unstubAllGlobals());

/** What the threads of a run are told, on an adapter with these ceilings. */
async function toldOn(ceilings: Ceilings | undefined): Promise<TaskMessage[]> {
  const told: TaskMessage[] = [];
  class Thread extends EventTarget {
    postMessage(message: TaskMessage): void {
      told.push(message);
      const machine = {} as Machine;
      const measured: BenchEvent = ceilings
        ? { type: 'adapter', machine, ceilings }
        : { type: 'failure', text: 'no ceilings' };
      const events: BenchEvent[] = message.task.kind === 'adapter' ? [measured, { type: 'end' }] : [{ type: 'end' }];
      for (const data of events) this.dispatchEvent(new MessageEvent('message', { data }));
    }
    terminate(): void {}
  }
  vi.stubGlobal('Worker', Thread);
  vi.stubGlobal('navigator', { userAgent: 'Test/1' });
  for await (const _ of runBench({ only: ['conv3d', 'linear'], modelUrl: '/model/', versions: {} })) {
    // What happens is not asked for.
  }
  return told;
}

test.for([
  ['1 TFLOP/s', { gflops: 1000, gigabytesPerSecond: 10 }, true],
  ['less, whatever it is', { gflops: 999, gigabytesPerSecond: 1000 }, false],
  ['nobody knows what', undefined, false],
] as const)('shapes are large or small by what was measured: %s', async ([, ceilings, large]) => {
  const told = await toldOn(ceilings);
  expect(told.map(({ task }) => task.kind)).toEqual(['adapter', 'group', 'group']);
  expect(told.slice(1).map((message) => message.large)).toEqual([large, large]);
});

test('a small GPU gets the small shapes, and a fast adapter the large ones', () => {
  const rowsOf = (isSoftware: boolean, large: boolean) =>
    linearCases({ gpu: { isSoftware }, large } as Context).map(({ name }) => name.replace(/.* of /, ''));
  expect(rowsOf(false, false)).toEqual(['576 rows', '576 rows']);
  expect(rowsOf(true, true)).toEqual(['4608 rows', '4608 rows']);
});
