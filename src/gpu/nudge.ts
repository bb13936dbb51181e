// Waiting for the GPU in browsers that seldom look whether it has finished.

/** Milliseconds between two empty submits. */
const interval = 4;

/**
 * What the GPU promised, with an empty submit now and then until it comes: Firefox looks for finished work every 100 ms, and
 * whenever something is submitted (bug 1870699). A clip waits some seventy times. Others do next to nothing for it.
 */
export async function nudged<T>(queue: GPUQueue, promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => queue.submit([]), interval);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}
