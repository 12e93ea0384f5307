/** How evenly threads spread uniform load with one board between them, beside the same with a board for each (per-worker state). */
import { beforeAll, describe, expect, it } from 'vitest';
import type { BalancerName } from '../../../src/config/picking-plan.js';
import { upstreamOf } from '../../unit/balancing/upstream-under-test.js';
import { LENGTH, pickTogether, type Seat, sumOf, THREAD_COUNTS } from './picking-threads.js';

/** Not a divisor or multiple of any number of threads. */
const ENDPOINTS = Array.from({ length: 10 }, () => ({}));
interface Loaded {
  readonly shares: readonly number[];
  readonly samples: number;
  readonly spreads: number;
  readonly widest: number;
}

/** Standard deviation over mean. */
function variationOf(shares: readonly number[]): number {
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length;
  return Math.sqrt(variance) / mean;
}

interface Evenness {
  /** Coefficient of variation of the endpoints' shares. */
  readonly variation: number;
  /** What the endpoint with the most has in flight more than the one with the fewest: on average, and at worst. */
  readonly spread: number;
  readonly widest: number;
}

/** @param isShared one board for all threads; otherwise each balances by a board of its own */
async function evennessOf(balance: BalancerName, threads: number, picks: number, isShared: boolean): Promise<Evenness> {
  const upstreams = Array.from({ length: isShared ? 1 : threads }, () => upstreamOf(balance, ENDPOINTS, threads));
  const buffers = upstreams.map(({ board }) => board.buffer);
  const seats = Array.from({ length: threads }, (_, thread): Seat => {
    const { board, plan } = upstreams[isShared ? 0 : thread]!;
    const rounds = Math.ceil(picks / threads);
    const task = { kind: 'load' as const, plans: [plan], rounds, buffers, threads, seed: thread };
    return { board, worker: isShared ? thread : 0, task };
  });
  const results = await pickTogether<Loaded>(seats);
  const samples = results.reduce((sum, result) => sum + result.samples, 0);
  return {
    variation: variationOf(sumOf(results.map(({ shares }) => shares))),
    spread: results.reduce((sum, { spreads }) => sum + spreads, 0) / samples,
    widest: Math.max(...results.map(({ widest }) => widest)),
  };
}

/** @param picks enough for the balancer to be even: round-robin is at any time, least-conn in the long run */
describe.each([
  { balance: 'round-robin' as const, picks: 1_000 * LENGTH, most: 0.02 },
  { balance: 'least-conn' as const, picks: 8_000 * LENGTH, most: 0.05 },
])('$balance under uniform load', ({ balance, picks, most }) => {
  const measured: { threads: number; shared: Evenness; each: Evenness }[] = [];

  beforeAll(async () => {
    for (const threads of THREAD_COUNTS) {
      const shared = await evennessOf(balance, threads, picks, true);
      measured.push({ threads, shared, each: await evennessOf(balance, threads, picks, false) });
    }
    console.log(
      `${balance}: ${picks} requests over ${ENDPOINTS.length} endpoints, one board | a board for each worker`,
    );
    console.table(
      measured.map(({ threads, shared, each }) => ({
        threads,
        'CV of shares': `${shared.variation.toFixed(4)} | ${each.variation.toFixed(4)}`,
        'in flight, most - fewest': `${shared.spread.toFixed(2)} | ${each.spread.toFixed(2)}`,
        'at worst': `${shared.widest} | ${each.widest}`,
      })),
    );
  });

  it(`spreads requests with a coefficient of variation of at most ${most}`, () => {
    expect(measured.filter(({ shared }) => shared.variation > most)).toEqual([]);
  });

  it('keeps endpoints more level over many threads than workers do that only know of themselves', () => {
    const over8 = measured.find(({ threads }) => threads === 8)!;
    expect(over8.shared.spread).toBeLessThan(over8.each.spread);
  });
});
