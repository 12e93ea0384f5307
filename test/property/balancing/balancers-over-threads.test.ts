/** round-robin and least-conn stay exact when real worker threads pick at the same time. */
import { describe, expect, it } from 'vitest';
import { upstreamOf } from '../../unit/balancing/upstream-under-test.js';
import { judge, swapsOf } from './picking-history.js';
import { LENGTH, pickTogether, sumOf, THREAD_COUNTS } from './picking-threads.js';

/** Uneven work for each thread, so that none has a whole number of cycles. */
const roundsFor = (threads: number): number[] => Array.from({ length: threads }, (_, worker) => 4_001 + 997 * worker);

const weighted = (weights: readonly number[]) => weights.map((weight) => ({ weight }));

/** How often smooth weighted round-robin (semantics.md 1) picks each endpoint in its first `picks` turns. */
function turnsOf(weights: readonly number[], picks: number): number[] {
  const credits = weights.map(() => 0);
  const turns = weights.map(() => 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  for (let pick = 0; pick < picks; pick++) {
    weights.forEach((weight, endpoint) => {
      credits[endpoint]! += weight;
    });
    const winner = credits.indexOf(Math.max(...credits));
    credits[winner]! -= total;
    turns[winner]! += 1;
  }
  return turns;
}

describe.each(THREAD_COUNTS)('round-robin over %i worker threads', (threads) => {
  it.each([
    ['at once', '1:1:1', [1, 1, 1], 0],
    ['at once', '5:1:1', [5, 1, 1], 0],
    ['at once', '3:2:1', [3, 2, 1], 0],
    ['one after the other', '3:2:1', [3, 2, 1], 1_500],
  ])('shares exactly, to the request, when they start %s and weights are %s', async (_start, _name, weights, apart) => {
    const upstream = upstreamOf('round-robin', weighted(weights), threads);
    const rounds = roundsFor(threads);
    const seats = rounds.map((count, worker) => ({
      board: upstream.board,
      worker,
      task: { kind: 'share' as const, plans: [upstream.plan], rounds: count, startAfter: worker * apart },
    }));
    const results = await pickTogether<{ shares: readonly number[] }>(seats);
    const picks = rounds.reduce((sum, count) => sum + count, 0);
    const shares = sumOf(results.map((result) => result.shares));
    expect(shares).toEqual(turnsOf(weights, picks));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    shares.forEach((share, endpoint) => {
      expect(Math.abs(share - (picks * weights[endpoint]!) / total)).toBeLessThanOrEqual(1);
    });
  });
});

/** Lets threads pick by least-conn and end at random, and judges what they have recorded. */
async function judgeLeastConn(
  threads: number,
  weights: readonly number[],
  how: { readonly isOrdered: boolean; readonly isCareless?: boolean },
) {
  const upstream = upstreamOf('least-conn', weighted(weights), threads);
  const seats = Array.from({ length: threads }, (_, worker) => ({
    board: upstream.board,
    worker,
    task: { kind: 'record' as const, plans: [upstream.plan], rounds: 2_000 * LENGTH, ...how },
  }));
  const results = await pickTogether<{ history: Int32Array }>(seats);
  const swaps = swapsOf(results.map(({ history }) => history));
  const recorded = weights.map((_, endpoint) =>
    swaps.reduce((sum, swap) => sum + (swap.endpoint !== endpoint ? 0 : swap.kind === 'pick' ? 1 : -1), 0),
  );
  const inflight = upstream.plan.endpoints.map(({ slot }) => upstream.board.load.inflight(slot));
  return { ...judge(swaps, weights), picks: threads * 2_000 * LENGTH, recorded, inflight };
}

describe.each(THREAD_COUNTS)('least-conn over %i worker threads', (threads) => {
  it.each([
    ['equal', [1, 1, 1, 1, 1]],
    ['unequal', [3, 2, 1, 1]],
  ])(
    'never picks one with more in flight for its weight than another has at the comparison (%s weights)',
    async (_name, weights) => {
      const { impossible, wrong, recorded, inflight } = await judgeLeastConn(threads, weights, { isOrdered: true });
      expect(impossible).toEqual([]);
      expect(wrong).toEqual([]);
      expect(recorded).toEqual(inflight);
    },
  );

  it('does not where nothing orders the swaps of different threads either', async () => {
    const { impossible, wrong, recorded, inflight } = await judgeLeastConn(threads, [1, 1, 1, 1, 1], {
      isOrdered: false,
    });
    expect(impossible).toEqual([]);
    expect(wrong).toEqual([]);
    expect(recorded).toEqual(inflight);
  });

  it('keeps endpoints level to one request while nothing ends', async () => {
    const upstream = upstreamOf('least-conn', weighted([1, 1, 1, 1, 1, 1]), threads);
    const seats = roundsFor(threads).map((rounds, worker) => ({
      board: upstream.board,
      worker,
      task: { kind: 'share' as const, plans: [upstream.plan], rounds, startAfter: 0 },
    }));
    await pickTogether(seats);
    const inflight = upstream.plan.endpoints.map(({ slot }) => upstream.board.load.inflight(slot));
    expect(Math.max(...inflight) - Math.min(...inflight)).toBeLessThanOrEqual(1);
  });
});

describe('a balancer that claims without comparing', () => {
  it.each([true, false])('is found out by its history (swaps in order: %s)', async (isOrdered) => {
    const { impossible, wrong } = await judgeLeastConn(4, [1, 1, 1, 1, 1], { isOrdered, isCareless: true });
    expect(impossible).toEqual([]);
    expect(wrong.length).toBeGreaterThan(20);
  });
});
