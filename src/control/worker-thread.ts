/** Starts worker threads: the one place that touches node:worker_threads in the primary. */
import { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerSeed } from '../worker/messages.js';
import type { SpanExport } from './span-export.js';

/** A running worker thread, as the supervisor sees it. */
export interface WorkerThread {
  post(message: ToWorker): void;
  /**
   * Has the thread close everything and end; one that does not within END_PATIENCE_MS is ended by force. `exited` follows.
   * Idempotent.
   */
  terminate(): void;
}

/** What a thread tells; `exited` comes exactly once, last. */
export interface WorkerThreadEvents {
  message(message: FromWorker): void;
  /** An uncaught error; the thread is ending. */
  failed(error: unknown): void;
  exited(exitCode: number): void;
}

/**
 * Time for a thread to end by itself. Ending it by force is for a thread that is stuck: with requests coming in,
 * uWebSockets.js may meet one that JavaScript can no longer answer, and end the whole process.
 */
const END_PATIENCE_MS = 1_000;

/** Starts the thread of one worker. */
export type SpawnWorker = (workerIndex: number, events: WorkerThreadEvents) => WorkerThread;

/**
 * Makes the function that starts worker threads.
 *
 * @param entry module that calls runWorker
 * @param seedOf what the worker is started with, asked anew for each start: addresses change
 * @param spans  where workers' spans go
 */
export function workerSpawner(
  entry: URL,
  seedOf: (workerIndex: number) => WorkerSeed,
  spans: Pick<SpanExport, 'take'>,
): SpawnWorker {
  return (workerIndex, events) => {
    const thread = new Worker(entry, { workerData: seedOf(workerIndex), name: `sluice worker ${workerIndex}` });
    thread.on('message', (message: FromWorker) => {
      if (message.kind !== 'spans') return events.message(message);
      spans.take(message.batch);
      thread.postMessage({ kind: 'spans-taken' } satisfies ToWorker);
    });
    thread.on('messageerror', (error) => events.failed(error));
    thread.on('error', (error) => events.failed(error));
    let force: NodeJS.Timeout | undefined;
    thread.on('exit', (exitCode) => {
      clearTimeout(force);
      events.exited(exitCode);
    });
    return {
      post: (message) => thread.postMessage(message),
      terminate: () => {
        if (force !== undefined) return;
        thread.postMessage({ kind: 'end' } satisfies ToWorker);
        force = setTimeout(() => void thread.terminate(), END_PATIENCE_MS);
      },
    };
  };
}
