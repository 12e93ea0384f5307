/** Over real threads: never more ejected than may be, one line for each transition, and never more probes than allowed. */
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { type Board, createBoard } from '../../../src/board/board.js';
import type { UpstreamPlan } from '../../../src/config/plan.js';
import type { ResiliencePlan } from '../../../src/config/resilience-plan.js';
import { monotonicClock } from '../../../src/core/clock.js';
import { mostEjectedOf } from '../../../src/policies/outlier.js';
import { upstreamPlan } from '../../unit/control/plans.js';
import { BREAKER, OUTLIER } from '../../unit/policies/watched-upstream.js';
import { checkCompiled, resultOf, sharedWords } from '../board/threads.js';

const SCRIPT = new URL('./watching-thread.mjs', import.meta.url);
const THREADS = 4;
const ENDPOINTS = 6;

interface Told {
  readonly kind: string;
  readonly upstream: number;
  readonly endpoint: number;
  readonly reason?: string;
}

interface Result {
  readonly events: Told[];
  readonly mostProbes: number;
  readonly picks: number;
}

function boardWith(upstreams: number, resilience: Partial<ResiliencePlan>): { board: Board; plans: UpstreamPlan[] } {
  const board = createBoard({
    endpointSlots: 64 * Math.ceil((upstreams * ENDPOINTS) / 64),
    upstreams,
    turns: upstreams,
    hashTables: 0,
    hashTableWords: 0,
    queueEntries: 0,
    queues: upstreams,
    routeBreakers: 0,
    routes: 1,
    workers: THREADS,
    listeners: 1,
    clientEntries: 16,
  });
  const settings = { weight: 1, cap: 0, isBackup: false, isResolved: true };
  const plans = Array.from({ length: upstreams }, (_, index) => ({
    ...upstreamPlan(
      Array.from({ length: ENDPOINTS }, (__, endpoint) => ({
        name: `127.0.0.1:${9000 + endpoint}`,
        ...board.assign(index, settings),
        target: { kind: 'tcp', host: '127.0.0.1', port: 9000 + endpoint },
        weight: 1,
        backup: false,
        level: 0,
        labels: {},
        maxConns: 0,
      })),
    ),
    index,
    turn: index,
    ...resilience,
  }));
  return { board, plans };
}

async function run(board: Board, task: Record<string, unknown>): Promise<Result[]> {
  checkCompiled();
  const shared = sharedWords(2 + ENDPOINTS);
  const threads = Array.from(
    { length: THREADS },
    (_, worker) =>
      new Worker(SCRIPT, {
        workerData: { buffer: board.buffer, worker, task: { ...task, shared: shared.buffer, threads: THREADS } },
      }),
  );
  const results = threads.map((thread) => resultOf<Result>(thread));
  while (Atomics.load(shared, 0) < THREADS) await new Promise((resolve) => setTimeout(resolve, 1));
  Atomics.store(shared, 1, 1);
  Atomics.notify(shared, 1);
  return Promise.all(results);
}

const count = (told: readonly Told[], kind: string, reason?: string): number =>
  told.filter((each) => each.kind === kind && (reason === undefined || each.reason === reason)).length;

describe('watching over threads', () => {
  it('ejects exactly as many as may be, each once, when everything fails', async () => {
    const upstreams = 40;
    const outlier = { ...OUTLIER, ejectionMs: 600_000, mostEjectionMs: 600_000 };
    const { board, plans } = boardWith(upstreams, { outlier });

    const results = await run(board, { kind: 'fail-all', plans, rounds: 200 });

    const ejected = results.flatMap(({ events }) => events).filter(({ kind }) => kind === 'ejected');
    const most = mostEjectedOf(ENDPOINTS, outlier.mostEjected);
    for (const { index } of plans) {
      const endpoints = ejected.filter(({ upstream }) => upstream === index).map(({ endpoint }) => endpoint);
      expect(endpoints).toHaveLength(most);
      expect(new Set(endpoints).size).toBe(most);
    }
  });

  it('tells each transition of an ejection once, and keeps to its trials', async () => {
    const outlier = { ...OUTLIER, gatewayFailuresInRow: 2, ejectionMs: 3, mostEjectionMs: 6, trials: 2 };
    const { board, plans } = boardWith(1, { outlier });

    const results = await run(board, { kind: 'churn', plans, durationMs: 1_200, failurePercent: 30 });

    const now = monotonicClock().nowTick();
    const all = results.flatMap(({ events }) => events);
    for (const [endpoint, { slot }] of plans[0]!.endpoints.entries()) {
      const told = all.filter((each) => each.endpoint === endpoint);
      const { phase } = board.health.ejections.circuits.load(slot);
      const returns = count(told, 'ejected') - count(told, 'ejected', 'trial-failed') - count(told, 'returned');
      expect(returns).toBe(phase === 'closed' ? 0 : 1);
      expect(count(told, 'ejected') - count(told, 'on-trial')).toBe(phase === 'open' ? 1 : 0);
      expect(board.health.health(slot, now).ejections).toBe(count(told, 'ejected'));
    }
    expect(count(all, 'returned')).toBeGreaterThan(20);
    expect(count(all, 'ejected', 'trial-failed')).toBeGreaterThan(5);
    const mostProbes = Math.max(...results.map((result) => result.mostProbes));
    expect(mostProbes).toBeGreaterThan(0);
    expect(mostProbes).toBeLessThanOrEqual(2);
  });

  it('tells each transition of a breaker once, and keeps to its probes', async () => {
    const breaker = { ...BREAKER, failuresInRow: 3, openMs: 3, mostOpenMs: 6, probes: 2 };
    const { board, plans } = boardWith(1, { breaker });

    const results = await run(board, { kind: 'churn', plans, durationMs: 1_200, failurePercent: 30 });

    const all = results.flatMap(({ events }) => events);
    for (const [endpoint, { slot }] of plans[0]!.endpoints.entries()) {
      const told = all.filter((each) => each.endpoint === endpoint);
      const { phase } = board.health.breakers.circuits.load(slot);
      const fresh = count(told, 'opened') - count(told, 'opened', 'probe-failed');
      expect(fresh - count(told, 'closed')).toBe(phase === 'closed' ? 0 : 1);
      expect(count(told, 'opened') - count(told, 'half-open')).toBe(phase === 'open' ? 1 : 0);
      expect(board.health.breakers.openings(slot)).toBe(count(told, 'opened'));
    }
    expect(count(all, 'closed')).toBeGreaterThan(20);
    const mostProbes = Math.max(...results.map((result) => result.mostProbes));
    expect(mostProbes).toBeGreaterThan(0);
    expect(mostProbes).toBeLessThanOrEqual(2);
  });
});
