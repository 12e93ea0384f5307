/** No balancer takes an endpoint above its cap or leaves a count behind, whatever threads do and however they end. */
import { describe, expect, it } from 'vitest';
import { BALANCER_NAMES } from '../../../src/balancing/registry.js';
import { seededRng } from '../../../src/core/rng.js';
import { upstreamOf } from '../../unit/balancing/upstream-under-test.js';
import { until } from '../board/threads.js';
import { LENGTH, letGo, type PickingTask, pickingWords, startPicking, THREAD_COUNTS } from './picking-threads.js';

const STOP = 2;
const ENDPOINTS = [{ cap: 1 }, { cap: 2, weight: 2 }, { cap: 3 }, { cap: 2, isBackup: true }];

/** What one thread tells of each balancer. */
interface Churned {
  readonly figures: readonly { readonly picks: number; readonly none: number; readonly above: number }[];
}

/** Threads that pick by all balancers over the same endpoints; `start` has one begin as that worker. */
function churnOn(threads: number, atOnce: number) {
  const { board, plan } = upstreamOf('round-robin', ENDPOINTS, threads);
  const plans = BALANCER_NAMES.map((balance) => ({ ...plan, balance }));
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
    pickedBeyond: (picks: number) => until(() => Atomics.load(shared, 2) > picks, `there were ${picks} picks and ends`),
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
    // Together they want more than the eight places that there are.
    const churn = churnOn(threads, Math.ceil(16 / threads));
    await letGo(churn.shared, threads);
    await churn.pickedBeyond(100_000 * LENGTH);
    Atomics.store(churn.shared, 1, STOP);
    const totals = totalsOf(await Promise.all(churn.running.map(({ result }) => result)));
    expect(totals.filter(({ above }) => above > 0)).toEqual([]);
    // Each of them has picked, and each has met a full upstream.
    expect(totals.filter(({ picks, none }) => picks === 0 || none === 0)).toEqual([]);
    expect(churn.inflight()).toEqual([0, 0, 0, 0]);
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
