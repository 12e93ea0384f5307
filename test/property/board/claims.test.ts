/** Claims stay exact whatever real worker threads do at the same time, and when they die. */

import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { type Board, createBoard } from '../../../src/board/board.js';
import { seededRng } from '../../../src/core/rng.js';
import { DEADLINE_MS, resultOf, runThreads, sharedWords, startThread, until } from './threads.js';

const settings = { weight: 1, cap: 0, isBackup: false, isResolved: true };
const threads: Worker[] = [];

afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.terminate()));
});

function boardWith(slots: number, workers: number) {
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
    workers,
    listeners: 1,
    clientEntries: 16,
  });
  return { board, slots: Array.from({ length: slots }, () => board.assign(0, settings)) };
}

describe('claims of real worker threads', () => {
  it('return to zero after a million random begins and ends from four threads', async () => {
    const { board, slots } = boardWith(5, 4);
    const tasks = [1, 2, 3, 4].map((seed) => ({ kind: 'begin-end' as const, rounds: 250_000, slots, seed }));
    const results = await runThreads<{ claims: number }>(board, tasks);
    expect(results.reduce((sum, { claims }) => sum + claims, 0)).toBeGreaterThan(400_000);
    expect(slots.map(({ slot }) => board.load.inflight(slot))).toEqual([0, 0, 0, 0, 0]);
  });

  it.each([1, 3])('never exceed a cap of %i', async (cap) => {
    const { board, slots } = boardWith(1, 4);
    const shared = sharedWords(5);
    const task = {
      kind: 'hold-below-cap' as const,
      rounds: 30_000,
      slots,
      cap,
      deadlineMs: DEADLINE_MS,
      shared: shared.buffer,
    };
    const running = runThreads<{ refusals: number; most: number }>(board, [task, task, task, task]);
    await until(() => Atomics.load(shared, 0) === 4, 'all threads are ready');
    Atomics.store(shared, 1, 1);
    Atomics.notify(shared, 1);
    const results = await running;
    expect(Math.max(...results.map(({ most }) => most))).toBeLessThanOrEqual(cap);
    expect(results.reduce((sum, { refusals }) => sum + refusals, 0)).toBeGreaterThan(0);
    expect(board.load.inflight(slots[0]!.slot)).toBe(0);
  });

  it('are given back exactly when threads are killed at random moments', async () => {
    const { board, slots } = boardWith(3, 3);
    const rng = seededRng(20);
    const shared = sharedWords(4);
    const start = (worker: number, seed: number): Worker => {
      const thread = startThread(board, worker, { kind: 'churn', slots, seed, shared: shared.buffer });
      threads.push(thread);
      return thread;
    };
    const running = [0, 1, 2].map((worker) => start(worker, worker));
    for (let kill = 0; kill < 15; kill++) {
      const started = kill + 3;
      await until(() => Atomics.load(shared, 0) === started, 'all threads churn');
      const worker = rng.below(3);
      for (let spin = rng.below(200_000); spin > 0; spin--) Atomics.load(shared, 3);
      await running[worker]!.terminate();
      await until(() => board.reclaim(worker), 'what the dead thread held is given back');
      board.resetStripe(worker);
      running[worker] = start(worker, 100 + kill);
    }
    await until(() => Atomics.load(shared, 0) === 18, 'all threads churn');
    const ends = running.map((thread) => resultOf(thread));
    Atomics.store(shared, 1, 2);
    await Promise.all(ends);
    expect(inflightOf(board, slots)).toEqual([0, 0, 0]);
  });

  it('are exactly those of the living after several threads were killed at once', async () => {
    const { board, slots } = boardWith(1, 4);
    const shared = sharedWords(4);
    const running = [0, 1, 2, 3].map((worker) =>
      startThread(board, worker, { kind: 'churn', slots, seed: worker, shared: shared.buffer }),
    );
    threads.push(...running);
    await until(() => Atomics.load(shared, 0) === 4, 'all threads churn');
    await Promise.all([0, 1, 2].map((worker) => running[worker]!.terminate()));
    const settled = [0, 1, 2].map(() => false);
    await until(() => {
      for (const worker of [0, 1, 2]) settled[worker] ||= board.reclaim(worker);
      return settled.every((isSettled) => isSettled);
    }, 'what the dead threads held is given back');
    const end = resultOf(running[3]!);
    Atomics.store(shared, 1, 2);
    await end;
    expect(inflightOf(board, slots)).toEqual([0]);
  });
});

describe('counters', () => {
  it('grow without a jump past 2^32 while they are read', async () => {
    const { board } = boardWith(1, 1);
    let isOver = false;
    const end = resultOf(startThread(board, 0, { kind: 'count-up', rounds: 3_000_000 })).then(() => {
      isOver = true;
    });
    let before = 0;
    await until(() => {
      for (let look = 0; look < 1_000; look++) {
        const bytes = board.stripe(0).traffic().bytesToClients;
        if (bytes < before || bytes % 65_521 !== 0) throw new Error(`${bytes} after ${before}`);
        before = bytes;
      }
      return isOver;
    }, 'the thread has counted');
    await end;
    expect(board.stripe(0).traffic().bytesToClients).toBe(3_000_000 * 65_521);
  });
});

function inflightOf(board: Board, slots: readonly { slot: number }[]): number[] {
  return slots.map(({ slot }) => board.load.inflight(slot));
}
