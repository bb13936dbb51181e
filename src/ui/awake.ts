// Keeps the screen on while a clip is in the making: a phone that goes to sleep may take the graphics device away. A browser
// that has no such thing, or refuses it, is left alone.
import { effect } from '@preact/signals';

/** @param isWorking reads signals */
export function keepAwake(isWorking: () => boolean): void {
  // More than one where a request was still under way when the page came back into view.
  const locks = new Set<WakeLockSentinel>();
  const request = async () => {
    try {
      const lock = await navigator.wakeLock.request('screen');
      if (isWorking()) locks.add(lock);
      else await lock.release();
    } catch {
      // Absent or refused: the visitor's own settings say when the screen goes dark.
    }
  };
  let wasWorking = false;
  effect(() => {
    const isNow = isWorking();
    if (isNow === wasWorking) return;
    wasWorking = isNow;
    if (isNow) void request();
    else {
      for (const lock of locks) void lock.release();
      locks.clear();
    }
  });
  // The browser takes a lock back when the page is out of view.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && isWorking()) void request();
  });
}
