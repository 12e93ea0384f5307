/** Runs test/property/board/board-thread.mjs on real worker threads over one board. */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { vi } from 'vitest';
import type { Board, SlotAssignment } from '../../../src/board/board.js';
import type { RetryBudgetPlan } from '../../../src/config/resilience-plan.js';

const SCRIPT = new URL('./board-thread.mjs', import.meta.url);
const COMPILED = new URL('../../../dist/board/worker-board.js', import.meta.url);

/** A test whose condition does not come true within this has failed. */
export const DEADLINE_MS = 15_000;

// Tests wait for several conditions, one after the other: which one failed is told before the test itself is given up.
vi.setConfig({ testTimeout: 60_000 });

/** What a thread of board-thread.mjs does; the meaning of each stands there. */
export interface ThreadTask {
  readonly kind:
    | 'begin-end'
    | 'hold-below-cap'
    | 'churn'
    | 'hold-sessions'
    | 'churn-sessions'
    | 'withdraw-retries'
    | 'count-up';
  readonly seed?: number;
  readonly rounds?: number;
  readonly cap?: number;
  readonly deadlineMs?: number;
  readonly slots?: readonly SlotAssignment[];
  /** ListenerPlans of 'hold-sessions' and 'churn-sessions'. */
  readonly listeners?: readonly unknown[];
  readonly clients?: number;
  readonly atOnce?: number;
  /** Of 'withdraw-retries', and how many threads do it. */
  readonly budget?: RetryBudgetPlan;
  readonly second?: number;
  readonly threads?: number;
  /** Int32Array memory of the test: [0] ready threads, [1] go, [2] ticket, … */
  readonly shared?: SharedArrayBuffer;
}

/** Starts one thread as `worker` of the board. */
export function startThread(board: Board, worker: number, task: ThreadTask): Worker {
  checkCompiled();
  return new Worker(SCRIPT, { workerData: { buffer: board.buffer, worker, task } });
}

/** @throws Error when there is no compiled code for threads to run */
export function checkCompiled(): void {
  if (!existsSync(COMPILED)) throw new Error('dist/ is missing: threads run compiled code, so run `npx tsc` first');
}

/** Waits for the result that a thread posts, then for its end. */
export function resultOf<Result>(thread: Worker): Promise<Result> {
  return new Promise((resolve, reject) => {
    let result: Result;
    thread.once('message', (message: Result) => {
      result = message;
    });
    thread.once('error', reject);
    thread.once('exit', () => resolve(result));
  });
}

/** Runs one thread for each task, all at once, and gives their results. */
export function runThreads<Result>(board: Board, tasks: readonly ThreadTask[]): Promise<Result[]> {
  return Promise.all(tasks.map((task, worker) => resultOf<Result>(startThread(board, worker, task))));
}

/** Looks again and again until the condition is true. */
export async function until(isTrue: () => boolean, sentence: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`not within ${DEADLINE_MS} ms: ${sentence}`);
    // Not setImmediate: threads under test need the processor more than the one that waits for them.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Memory for what threads of one test tell each other beside the board. */
export function sharedWords(words: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(words * 4));
}
