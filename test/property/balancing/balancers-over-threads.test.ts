/** Balancers stay exact when real worker threads pick at the same time. */
import { describe, expect, it } from 'vitest';
import type { BalancerName } from '../../../src/config/picking-plan.js';
import { upstreamOf } from '../../unit/balancing/upstream-under-test.js';
import { runThreads, sharedWords, until } from '../board/threads.js';

interface Picked {
  /** Picks of each endpoint. */
  readonly shares: readonly number[];
  /** Picks, seen at once, of an endpoint with more in flight than another one has. */
  readonly unfair: number;
  /** Five words each: +1 pick or -1 end, endpoint, ticket before, ticket after, in flight before the claim. */
  readonly history: Int32Array;
}

/** Lets threads pick at the same time, `rounds` each. */
async function pickOnThreads(options: {
  balance: BalancerName;
  weights: readonly number[];
  workers: number;
  rounds: readonly number[];
  hold: boolean;
}) {
  const upstream = upstreamOf(
    options.balance,
    options.weights.map((weight) => ({ weight })),
    options.workers,
  );
  const shared = sharedWords(3);
  const tasks = options.rounds.map((rounds) => {
    return { kind: 'pick' as const, plan: upstream.plan, rounds, hold: options.hold, shared: shared.buffer };
  });
  const running = runThreads<Picked>(upstream.board, tasks);
  await until(() => Atomics.load(shared, 0) === options.workers, 'all threads are ready');
  Atomics.store(shared, 1, 1);
  Atomics.notify(shared, 1);
  const results = await running;
  const shares = options.weights.map((_, endpoint) =>
    results.reduce((sum, result) => sum + result.shares[endpoint]!, 0),
  );
  const inflight = upstream.plan.endpoints.map(({ slot }) => upstream.board.load.inflight(slot));
  return { results, shares, inflight };
}

/** Uneven work for each thread, so that none has a whole number of cycles. */
const roundsFor = (workers: number): number[] => Array.from({ length: workers }, (_, worker) => 4_001 + 997 * worker);

describe('round-robin over worker threads', () => {
  it.each([1, 2, 4, 8])('shares exactly by weight, to one request, with %i threads', async (workers) => {
    const weights = [5, 1, 1, 3];
    const rounds = roundsFor(workers);
    const { shares } = await pickOnThreads({ balance: 'round-robin', weights, workers, rounds, hold: true });
    const total = rounds.reduce((sum, count) => sum + count, 0);
    shares.forEach((share, endpoint) => {
      expect(Math.abs(share - (total * weights[endpoint]!) / 10)).toBeLessThanOrEqual(1);
    });
  });
});

describe('least-conn over worker threads', () => {
  // While nothing ends, counts only grow: an endpoint that has fewer after the pick had fewer at the claim, too.
  it.each([1, 2, 4, 8])(
    'never picks one with more in flight than another while nothing ends, with %i threads',
    async (workers) => {
      const rounds = roundsFor(workers);
      const weights = [1, 1, 1, 1, 1, 1];
      const { results, inflight } = await pickOnThreads({
        balance: 'least-conn',
        weights,
        workers,
        rounds,
        hold: true,
      });
      expect(results.map(({ unfair }) => unfair)).toEqual(rounds.map(() => 0));
      expect(Math.max(...inflight) - Math.min(...inflight)).toBeLessThanOrEqual(1);
    },
  );

  /*
   * From a recorded history: tickets come from one shared counter, taken before and after each pick and each end. So what an
   * endpoint can have had in flight at any moment of a pick is bounded by what had begun by then and what had ended for
   * certain. A pick whose endpoint had more at the claim than another can have had at any moment of the pick went by a
   * stale count.
   */
  it.each([2, 4])('never goes by a stale count while requests end, with %i threads', async (workers) => {
    const weights = [1, 1, 1, 1, 1];
    const rounds = weights.slice(0, workers).map(() => 4_000);
    const { results } = await pickOnThreads({ balance: 'least-conn', weights, workers, rounds, hold: false });
    const events = results.flatMap(({ history }) => eventsOf(history));
    const mostDuring = boundOf(events, weights.length);
    const stale = events.filter(({ change, endpoint, before, after, level }) => {
      if (change !== 1) return false;
      return weights.some((_, other) => other !== endpoint && mostDuring(other, before, after) < level);
    });
    expect(events.length).toBeGreaterThan(4_000 * workers);
    expect(stale).toEqual([]);
  });
});

interface HistoryEvent {
  readonly change: number;
  readonly endpoint: number;
  readonly before: number;
  readonly after: number;
  readonly level: number;
}

function eventsOf(history: Int32Array): HistoryEvent[] {
  return Array.from({ length: history.length / 5 }, (_, index) => {
    const [change, endpoint, before, after, level] = history.subarray(index * 5, index * 5 + 5);
    return { change: change!, endpoint: endpoint!, before: before!, after: after!, level: level! };
  });
}

/** What an endpoint had in flight at most at any moment between two tickets. */
function boundOf(events: readonly HistoryEvent[], endpoints: number) {
  const tickets = 1 + Math.max(...events.map(({ after }) => after));
  // Picks that had begun, and ends that were over, before each ticket.
  const begun = Array.from({ length: endpoints }, () => new Int32Array(tickets + 1));
  const over = Array.from({ length: endpoints }, () => new Int32Array(tickets + 1));
  for (const { change, endpoint, before, after } of events) {
    if (change === 1) begun[endpoint]![before + 1]! += 1;
    else over[endpoint]![after + 1]! += 1;
  }
  for (const row of [...begun, ...over]) {
    for (let ticket = 1; ticket <= tickets; ticket++) row[ticket]! += row[ticket - 1]!;
  }
  return (endpoint: number, before: number, after: number) => begun[endpoint]![after]! - over[endpoint]![before]!;
}
