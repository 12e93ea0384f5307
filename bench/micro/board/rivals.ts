/** Threads that do without a pause what a bench file times, from before its first bench to its end. */
import { Worker } from 'node:worker_threads';

/**
 * To be awaited at the top of a file whose benches are all contended: vitest runs no hooks for benches. Each thread counts its rounds in
 * stop[1]; resolves when every one of them has done some.
 *
 * @param workerData of each thread, to which `stop` is added
 */
export async function startRivals(script: URL, workerData: readonly object[]): Promise<void> {
  for (const data of workerData) {
    const stop = new Int32Array(new SharedArrayBuffer(8));
    const thread = new Worker(script, { workerData: { ...data, stop: stop.buffer } });
    thread.once('error', (error) => {
      throw error;
    });
    thread.unref();
    while (Atomics.load(stop, 1) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
