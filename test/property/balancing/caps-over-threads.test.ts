/** No balancer takes an endpoint above its cap or leaves a count behind, whatever threads do and however they end. */
import { describe, expect, it } from 'vitest';
import { BALANCER_NAMES } from '../../../src/balancing/registry.js';
import type { Board } from '../../../src/board/board.js';
import { wordsOfPoints, wordsOfSlots } from '../../../src/board/hash-table.js';
import { type BalancerName, NO_HASH_TABLE } from '../../../src/config/picking-plan.js';
import { type Rng, seededRng } from '../../../src/core/rng.js';
import { upstreamOf } from '../../unit/balancing/upstream-under-test.js';
import { until } from '../board/threads.js';
import { LENGTH, letGo, type PickingTask, pickingWords, startPicking, THREAD_COUNTS } from './picking-threads.js';

const STOP = 2;
const MOST_TURNS = 5;
const ENDPOINTS = [{ cap: 1 }, { cap: 2, weight: 2 }, { cap: 3 }, { cap: 2, isBackup: true }];

/** What one thread tells of each balancer. */
interface Churned {
  readonly figures: readonly { readonly picks: number; readonly none: number; readonly above: number }[];
}

/** Tables of the balancers that look keys up, on the board of the upstream. */
const TABLES: Partial<Record<BalancerName, number>> = { ketama: 0, maglev: 1 };
const POINTS = 64;
const ENTRIES = 251;

/** Publishes a ring and a table that name slots at random, also some that nobody has. */
function publishTables(board: Board, rng: Rng): void {
  const slots = (count: number) => Uint16Array.from({ length: count }, () => rng.below(2 * ENDPOINTS.length));
  const points = Uint32Array.from({ length: POINTS }, () => rng.nextBits() * 2).sort();
  const ring = new Int32Array(wordsOfPoints(POINTS));
  ring.set(new Int32Array(points.buffer));
  new Uint16Array(ring.buffer, points.byteLength).set(slots(POINTS));
  board.hashTables[0]!.publish(ring, POINTS);
  const table = new Int32Array(wordsOfSlots(ENTRIES));
  new Uint16Array(table.buffer).set(slots(ENTRIES));
  board.hashTables[1]!.publish(table, ENTRIES);
}

/**
 * Threads that pick by all balancers over the same endpoints, while tables are published again and again; `start` has one begin as that
 * worker.
 */
function churnOn(threads: number, atOnce: number) {
  const { board, plan } = upstreamOf('round-robin', ENDPOINTS, threads, { hashTable: 1, loadFactor: 1.25 });
  const plans = BALANCER_NAMES.map((balance) => ({ ...plan, balance, hashTable: TABLES[balance] ?? NO_HASH_TABLE }));
  const rng = seededRng(5);
  const shared = pickingWords();
  const start = (worker: number, seed: number) => {
    const task: PickingTask = { kind: 'churn', plans, atOnce, seed };
    return startPicking<Churned>({ board, worker, task }, shared);
  };
  return {
    board,
    shared,
    start,
    running: Array.from({ length: threads }, (_, worker) => start(worker, worker)),
    pickedBeyond: (picks: number) =>
      until(() => {
        publishTables(board, rng);
        return Atomics.load(shared, 2) > picks;
      }, `there were ${picks} picks and ends`),
    inflight: () => plan.endpoints.map(({ slot }) => board.load.inflight(slot)),
  };
}

function totalsOf(results: readonly Churned[]) {
  return BALANCER_NAMES.map((name, index) => {
    const figures = results.map((result) => result.figures[index]!);
    const sum = (field: 'picks' | 'none' | 'above') => figures.reduce((total, figure) => total + figure[field], 0);
    return { name, picks: sum('picks'), none: sum('none'), above: sum('above') };
  });
}

describe.each(THREAD_COUNTS)('all balancers over %i worker threads', (threads) => {
  it('never exceed a cap', async () => {
    // A busy machine may run the threads one after the other, so that none meets a full upstream: then it says little, and is done again.
    for (let turn = 1, isCrowded = false; !isCrowded && turn <= MOST_TURNS; turn += 1) {
      // Together they want more than the eight places that there are.
      const churn = churnOn(threads, Math.ceil(16 / threads));
      await letGo(churn.shared, threads);
      await churn.pickedBeyond(60_000 * LENGTH);
      Atomics.store(churn.shared, 1, STOP);
      const totals = totalsOf(await Promise.all(churn.running.map(({ result }) => result)));
      expect(totals.filter(({ above }) => above > 0)).toEqual([]);
      // Each of them has picked, and each has met a full upstream.
      const others = totals.filter(({ picks, none }) => picks === 0 || none === 0);
      if (turn === MOST_TURNS) expect(others).toEqual([]);
      isCrowded = others.length === 0;
      expect(churn.inflight()).toEqual([0, 0, 0, 0]);
    }
  });
});

describe('all balancers', () => {
  it('leave no count behind when threads are killed in the middle, and keep the caps', async () => {
    const churn = churnOn(4, 4);
    const rng = seededRng(6);
    await letGo(churn.shared, 4);
    for (let kill = 1; kill <= 8 * LENGTH; kill++) {
      await churn.pickedBeyond(kill * 4_000);
      const worker = rng.below(4);
      await churn.running[worker]!.kill();
      await until(() => churn.board.reclaim(worker), 'what the dead thread held is given back');
      churn.board.resetStripe(worker);
      churn.running[worker] = churn.start(worker, 100 + kill);
    }
    await churn.pickedBeyond(8 * LENGTH * 4_000 + 20_000);
    Atomics.store(churn.shared, 1, STOP);
    const totals = totalsOf(await Promise.all(churn.running.map(({ result }) => result)));
    expect(totals.filter(({ above }) => above > 0)).toEqual([]);
    expect(churn.inflight()).toEqual([0, 0, 0, 0]);
  });
});
