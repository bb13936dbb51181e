// Turns a job that reports by callback into an async generator. It knows no events in particular.

/**
 * Yields what `job` emits, in order, then ends or throws as the job does. A consumer that stops early (`break`, `return`)
 * aborts the job and waits for it to end.
 * @param job must end soon after its signal aborts
 */
export async function* stream<Event>(
  job: (emit: (event: Event) => void, signal: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): AsyncGenerator<Event, void, void> {
  const own = new AbortController();
  const abort = () => own.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  const waiting: Event[] = [];
  let ended = false;
  let wake: (() => void) | undefined;
  const running = job((event) => {
    waiting.push(event);
    wake?.();
  }, own.signal).finally(() => {
    ended = true;
    wake?.();
  });
  running.catch(() => undefined); // It is awaited below.
  try {
    for (;;) {
      while (waiting.length > 0) yield waiting.shift()!;
      if (ended) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    await running;
  } finally {
    signal?.removeEventListener('abort', abort);
    own.abort();
    await running.catch(() => undefined);
  }
}
