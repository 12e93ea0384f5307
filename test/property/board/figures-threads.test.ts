/** Four real threads record while one reads: what is read only ever grows, belongs together, and is exact in the end. */
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { LatencyCounts } from '../../../src/board/latency-counts.js';
import { checkCompiled, resultOf, until } from './threads.js';

const THREADS = 4;
const ROUNDS = 60_000;
const SCRIPT = new URL('./figures-thread.mjs', import.meta.url);

const capacities = {
  endpointSlots: 2,
  upstreams: 1,
  turns: 1,
  hashTables: 0,
  hashTableWords: 0,
  queues: 0,
  queueEntries: 0,
  routeBreakers: 0,
  routes: 1,
  workers: THREADS,
  listeners: 1,
  clientEntries: 16,
};

describe('figures under four writers', () => {
  it('grow without a step back, and are the sum of what each has written', async () => {
    checkCompiled();
    const { buffer, figures } = createBoard(capacities, [1, 2]);
    const threads = Array.from({ length: THREADS }, (_, worker) => {
      const workerData = { buffer, figures: figures.memoryOf(worker), worker, rounds: ROUNDS };
      return new Worker(SCRIPT, { workerData });
    });
    const over = Promise.all(threads.map((thread) => resultOf<{ sumUs: number; bytes: number }>(thread)));
    const before = new LatencyCounts();
    const now = new LatencyCounts();
    let readings = 0;
    await until(() => {
      now.clear();
      figures.read('route', 0, 'total', now);
      expect(now.buckets.every((count, bucket) => count >= before.buckets[bucket]!)).toBe(true);
      expect(now.buckets.reduce((sum, count) => sum + count, 0)).toBe(now.count);
      before.copyFrom(now);
      readings++;
      return figures.flow('route', 0).exchanges === THREADS * ROUNDS;
    }, 'every exchange is recorded');
    const written = await over;
    now.clear();
    figures.read('route', 0, 'total', now);
    expect(readings).toBeGreaterThan(1);
    expect(now.count).toBe(THREADS * ROUNDS);
    expect(now.sumUs).toBe(written.reduce((sum, { sumUs }) => sum + sumUs, 0));
    expect(figures.flow('route', 0).bytesToClients).toBe(written.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(figures.endpoint(0).reuses + figures.endpoint(1).reuses).toBe(THREADS * ROUNDS);
    expect(figures.missed).toBe(0);
  });
});
