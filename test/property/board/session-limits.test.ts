/** Session limits hold whatever real worker threads do at the same time, and when they die. */
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { type Board, createBoard } from '../../../src/board/board.js';
import { MOST_WORKERS } from '../../../src/board/capacities.js';
import { ClientBucket, ListenerLock, layoutFor } from '../../../src/board/layout.js';
import { seededRng } from '../../../src/core/rng.js';
import { DEADLINE_MS, resultOf, runThreads, sharedWords, startThread, until } from './threads.js';

const capacities = {
  endpointSlots: 64,
  upstreams: 1,
  turns: 1,
  hashTables: 0,
  hashTableWords: 0,
  queueEntries: 0,
  queues: 1,
  routeBreakers: 0,
  routes: 1,
  workers: 4,
  listeners: 2,
  clientEntries: 32,
};
const layout = layoutFor(capacities);
const threads: Worker[] = [];

afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.terminate()));
});

function listener(limits: { sessions?: number; sessionsPerClient?: number }) {
  return { mode: 'l4', limits: { sessions: 0, sessionsPerClient: 0, newSessionsPerClient: null, ...limits } };
}

/** Sessions that a worker has counted at listeners, and of clients. */
function countsOf(board: Board, worker: number): [number, number] {
  const { listenerSessions, clientSessions } = layout.stripes[worker]!;
  const words = new Int32Array(board.buffer);
  const sum = ({ base, records }: typeof listenerSessions): number =>
    words.subarray(base, base + records).reduce((total, count) => total + count, 0);
  return [sum(listenerSessions), sum(clientSessions)];
}

/** The words of all locks of session limits that are held. */
function holders(board: Board): number[] {
  const { listenerLock, clientBucket } = layout.board;
  const words = new Int32Array(board.buffer);
  const at = ({ base, stride, records }: typeof listenerLock, field: number): number[] =>
    Array.from({ length: records }, (_, record) => Atomics.load(words, base + record * stride + field));
  const locks = [...at(listenerLock, ListenerLock.field.lock), ...at(clientBucket, ClientBucket.field.lock)];
  return locks.filter((word) => word !== 0);
}

describe('session limits over real worker threads', () => {
  it.each([
    ['sessions of a listener', 1, listener({ sessions: 1 })],
    ['sessions of a listener', 3, listener({ sessions: 3 })],
    ['sessions of a client', 1, listener({ sessionsPerClient: 1 })],
    ['sessions of a client', 3, listener({ sessionsPerClient: 3 })],
  ])('never admit more %s than they say: %i', async (_name, most, limited) => {
    // Adding up the stripes of so many workers takes most of a claim: without the lock two would meet in there again and again.
    const board = createBoard({ ...capacities, workers: MOST_WORKERS });
    const shared = sharedWords(5);
    const task = {
      kind: 'hold-sessions' as const,
      rounds: 20_000,
      listeners: [limited],
      // Two threads can meet at the limit, three need not run at the same time.
      atOnce: Math.ceil(most / 2),
      deadlineMs: DEADLINE_MS,
      shared: shared.buffer,
    };
    const running = runThreads<{ refusals: number; most: number }>(board, [task, task, task, task]);
    await until(() => Atomics.load(shared, 0) === 4, 'all threads are ready');
    Atomics.store(shared, 1, 1);
    Atomics.notify(shared, 1);
    const results = await running;
    expect(Math.max(...results.map((result) => result.most))).toBeLessThanOrEqual(most);
    expect(results.reduce((sum, { refusals }) => sum + refusals, 0)).toBeGreaterThan(0);
    expect([0, 1, 2, 3].flatMap((worker) => countsOf(board, worker))).toEqual(Array(8).fill(0));
    expect(holders(board)).toEqual([]);
  });

  it('lose exactly what threads held that are killed at random moments, 200 of them', {
    timeout: 300_000,
  }, async () => {
    const board = createBoard(capacities);
    const rng = seededRng(21);
    const shared = sharedWords(12);
    const listeners = [listener({ sessions: 14, sessionsPerClient: 2 }), listener({ sessionsPerClient: 3 })];
    let seed = 100;
    const start = (worker: number): Worker => {
      const task = { kind: 'churn-sessions' as const, listeners, clients: 9, seed: seed++, shared: shared.buffer };
      const thread = startThread(board, worker, task);
      threads.push(thread);
      return thread;
    };
    const tell = (state: number): void => {
      if (state !== 0) for (const count of [0, 2]) Atomics.store(shared, count, 0);
      Atomics.store(shared, 1, state);
      Atomics.notify(shared, 1);
    };
    const waiting = (count: number): Promise<void> =>
      until(() => Atomics.load(shared, 0) === count, `${count} threads wait`);
    const workers = [0, 1, 2, 3];
    const running = workers.map((worker) => start(worker));
    for (let round = 0; round < 100; round++) {
      await waiting(4);
      const first = rng.below(4);
      const dead = [first, (first + 1 + rng.below(3)) % 4];
      const living = workers.filter((worker) => !dead.includes(worker));
      tell(1);
      await until(() => Atomics.load(shared, 2) === 4, 'all threads churn');
      for (const worker of dead) {
        for (let spin = rng.below(100_000); spin > 0; spin--) Atomics.load(shared, 3);
        await running[worker]!.terminate();
      }
      for (const worker of dead) {
        expect(board.reclaim(worker)).toBe(true);
        expect(holders(board)).not.toContain(worker + 1);
        expect(countsOf(board, worker)).toEqual([0, 0]);
      }
      tell(0);
      await waiting(2);
      expect(holders(board)).toEqual([]);
      for (const worker of living)
        expect(countsOf(board, worker)).toEqual([4, 5].map((word) => Atomics.load(shared, word + 2 * worker)));
      for (const worker of dead) {
        board.resetStripe(worker);
        running[worker] = start(worker);
      }
    }
    await waiting(4);
    const ends = running.map((thread) => resultOf(thread));
    tell(2);
    await Promise.all(ends);
    expect(workers.map((worker) => countsOf(board, worker))).toEqual(workers.map(() => [0, 0]));
    expect(holders(board)).toEqual([]);
  });
});
