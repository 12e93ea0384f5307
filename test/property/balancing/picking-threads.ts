/** Runs test/property/balancing/picking-thread.mjs on real worker threads. */
import { Worker } from 'node:worker_threads';
import { afterAll, vi } from 'vitest';
import type { Board } from '../../../src/board/board.js';
import type { UpstreamPlan } from '../../../src/config/plan.js';
import { checkCompiled, sharedWords, until } from '../board/threads.js';

const SCRIPT = new URL('./picking-thread.mjs', import.meta.url);

/** Numbers of threads that everything is tested with. */
export const THREAD_COUNTS = [1, 2, 4, 8] as const;

/** How much longer tests with threads run with SLUICE_LONG=1. */
export const LENGTH = process.env.SLUICE_LONG === '1' ? 20 : 1;

if (LENGTH > 1) vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

/** What a thread does; picking-thread.mjs has the meaning of each. */
export interface PickingTask {
  readonly kind: 'share' | 'record' | 'churn' | 'load';
  /** One for each balancer; all of the same endpoints. */
  readonly plans: readonly UpstreamPlan[];
  readonly seed?: number;
  readonly rounds?: number;
  readonly startAfter?: number;
  readonly atOnce?: number;
  readonly isOrdered?: boolean;
  readonly isCareless?: boolean;
  /** How many keep in step. */
  readonly threads?: number;
  /** Boards on which requests are counted. */
  readonly buffers?: readonly SharedArrayBuffer[];
}

/** Words that threads of one test share: [0] ready threads, [1] 1: go, 2: stop, [2] ticket, [3] lock, [4] always 0, [5] and [6] meetings. */
export function pickingWords(): Int32Array<SharedArrayBuffer> {
  return sharedWords(7);
}

/** Threads that wait for work: to start one takes longer than most of what they do. */
const idle: Worker[] = [];
const all: Worker[] = [];

afterAll(async () => {
  await Promise.all(all.map((thread) => thread.terminate()));
});

/** A thread at work. `result` rejects when it fails, and stays open when it is killed. */
export interface PickingThread<Result> {
  readonly result: Promise<Result>;
  /** Ends it in the middle; resolves when no store of it will follow. */
  kill(): Promise<unknown>;
}

/** Has one thread work on a board. */
export function startPicking<Result>(
  { board, worker, task }: Seat,
  shared: Int32Array<SharedArrayBuffer>,
): PickingThread<Result> {
  checkCompiled();
  const thread = idle.pop() ?? new Worker(SCRIPT);
  if (!all.includes(thread)) all.push(thread);
  const result = new Promise<Result>((resolve, reject) => {
    thread.once('error', reject);
    thread.once('message', (message: Result) => {
      thread.off('error', reject);
      idle.push(thread);
      resolve(message);
    });
  });
  thread.postMessage({ buffer: board.buffer, worker, task: { ...task, shared: shared.buffer } });
  return { result, kill: () => thread.terminate() };
}

/** Lets threads that wait for it begin. */
export async function letGo(shared: Int32Array, threads: number): Promise<void> {
  await until(() => Atomics.load(shared, 0) === threads, 'all threads are ready');
  Atomics.store(shared, 1, 1);
  Atomics.notify(shared, 1);
}

/** A thread's place and work. */
export interface Seat {
  readonly board: Board;
  readonly worker: number;
  readonly task: PickingTask;
}

/** Runs threads from the same moment on, and gives their results. */
export async function pickTogether<Result>(seats: readonly Seat[]): Promise<Result[]> {
  const shared = pickingWords();
  const running = seats.map((seat) => startPicking<Result>(seat, shared).result);
  await Promise.race([letGo(shared, seats.length), Promise.all(running)]);
  return Promise.all(running);
}

/** Adds up what threads counted for each endpoint. */
export function sumOf(shares: readonly (readonly number[])[]): number[] {
  return (shares[0] ?? []).map((_, endpoint) => shares.reduce((sum, counts) => sum + counts[endpoint]!, 0));
}
