/** Retries of real worker threads at the same time never exceed their budget, and use it up. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { DEADLINE_MS, runThreads, sharedWords, until } from './threads.js';

const THREADS = 4;
const ROUNDS = 5_000;

describe('the retry budget over real worker threads', () => {
  it.each([
    { share: 0.2, perSecond: 10 },
    { share: 0.013, perSecond: 0 },
    { share: 0, perSecond: 30 },
  ])('is never exceeded, and used up to the last: %o', async (budget) => {
    const board = createBoard({
      endpointSlots: 64,
      upstreams: 1,
      turns: 1,
      hashTables: 0,
      hashTableWords: 0,
      queueEntries: 0,
      queues: 1,
      routeBreakers: 0,
      routes: 1,
      workers: THREADS,
      listeners: 1,
      clientEntries: 16,
    });
    const shared = sharedWords(4);
    const task = {
      kind: 'withdraw-retries' as const,
      rounds: ROUNDS,
      budget,
      second: 77,
      threads: THREADS,
      deadlineMs: DEADLINE_MS,
      shared: shared.buffer,
    };
    const running = runThreads<{ withdrawn: number; early: number }>(
      board,
      Array.from({ length: THREADS }, () => task),
    );
    await until(() => Atomics.load(shared, 0) === THREADS, 'all threads are ready');
    Atomics.store(shared, 1, 1);
    Atomics.notify(shared, 1);
    const results = await running;
    const sum = (of: 'withdrawn' | 'early'): number => results.reduce((total, result) => total + result[of], 0);
    expect(sum('early')).toBeGreaterThan(0);
    expect(sum('withdrawn')).toBe(Math.floor(budget.perSecond * 10 + budget.share * THREADS * ROUNDS + 1e-9));
  });
});
