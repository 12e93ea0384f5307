/** Starts worker threads: the one place that touches node:worker_threads in the primary. */
import { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerSeed } from '../worker/messages.js';

/** A running worker thread, as the supervisor sees it. */
export interface WorkerThread {
  post(message: ToWorker): void;
  /** Ends the thread at once; `exited` follows. Idempotent. */
  terminate(): void;
}

/** What a thread tells; `exited` comes exactly once, last. */
export interface WorkerThreadEvents {
  message(message: FromWorker): void;
  /** An uncaught error; the thread is ending. */
  failed(error: unknown): void;
  exited(exitCode: number): void;
}

/** Starts the thread of one worker. */
export type SpawnWorker = (workerIndex: number, events: WorkerThreadEvents) => WorkerThread;

/**
 * Makes the function that starts worker threads.
 *
 * @param entry module that calls runWorker
 * @param seedOf what the worker is started with, asked anew for each start: addresses change
 */
export function workerSpawner(entry: URL, seedOf: (workerIndex: number) => WorkerSeed): SpawnWorker {
  return (workerIndex, events) => {
    const thread = new Worker(entry, { workerData: seedOf(workerIndex), name: `sluice worker ${workerIndex}` });
    thread.on('message', (message: FromWorker) => events.message(message));
    thread.on('messageerror', (error) => events.failed(error));
    thread.on('error', (error) => events.failed(error));
    thread.on('exit', (exitCode) => events.exited(exitCode));
    return {
      post: (message) => thread.postMessage(message),
      terminate: () => void thread.terminate(),
    };
  };
}
