/** The primary's part in passive detection: intervals, and what active checks take back. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import type { OutlierPlan } from '../../../src/config/resilience-plan.js';
import { Outliers } from '../../../src/control/outliers.js';
import { ReturnWatch } from '../../../src/control/return-watch.js';
import { EndpointHealthLog } from '../../../src/observability/health-log.js';
import { FakeTime } from './fake-time.js';
import { captureLog } from './log-capture.js';
import { endpointPlan, upstreamPlan } from './plans.js';

const plan: OutlierPlan = {
  failuresInRow: 0,
  gatewayFailuresInRow: 5,
  failureRatio: { above: 0.5, leastRequests: 10 },
  successRate: null,
  latency: { factor: 3, leastRequests: 10, leastEndpoints: 3 },
  intervalMs: 1_000,
  ejectionMs: 10_000,
  mostEjectionMs: 60_000,
  mostEjected: 0.5,
  trials: 1,
};

function outliersOf(parts: Partial<OutlierPlan> = {}) {
  const board = createBoard({
    endpointSlots: 8,
    upstreams: 1,
    turns: 1,
    hashTables: 0,
    hashTableWords: 0,
    queueEntries: 0,
    queues: 1,
    routeBreakers: 0,
    routes: 1,
    workers: 2,
    listeners: 1,
    clientEntries: 16,
  });
  const stripes = [0, 1].map((worker) => attachBoard(board.buffer, worker).stripe);
  const endpoints = [0, 1, 2, 3].map((index) => ({
    ...endpointPlan('10.0.0.1', 8080 + index, 0),
    ...board.assign(0, { weight: 1, cap: 0, isBackup: false, isResolved: true }),
  }));
  const slowStart = { windowMs: 10_000, aggression: 1, leastShare: 0.1 };
  const upstream = { ...upstreamPlan(endpoints), slowStart, outlier: { ...plan, ...parts } };
  const time = new FakeTime();
  const log = captureLog();
  const outliers = new Outliers({
    upstreams: [upstream],
    board,
    clock: time,
    timers: time,
    eventsFor: (each) => new EndpointHealthLog(each, log.logger),
  });
  /** Both workers count for an endpoint. */
  const count = (endpoint: number, successes: number, failures: number, ms = 10): void => {
    const { slot } = endpoints[endpoint]!;
    for (const stripe of stripes) {
      for (let each = 0; each < successes; each++) stripe.countSuccess(slot, ms * 1_000);
      for (let each = 0; each < failures; each++) stripe.countAttemptFailure(slot);
    }
  };
  const told = () => log.records.map(({ event, endpoint, reason }) => [event, endpoint, reason].join(' ').trim());
  return { board, upstream, endpoints, time, outliers, count, told };
}

describe('statistics of intervals', () => {
  it('eject who failed too often, over all workers and in this interval only', async () => {
    const { time, outliers, count, told } = outliersOf();
    count(1, 0, 50);
    outliers.start();
    count(0, 5, 4);
    count(2, 4, 5);
    await time.pass(1_000);
    expect(told()).toEqual(['endpoint-ejected 10.0.0.1:8082 failure-ratio']);
    await time.pass(5_000);
    expect(told().length).toBe(1);
  });

  it('eject no more than may be, and count what they do not', async () => {
    const { board, endpoints, time, outliers, count, told } = outliersOf({ mostEjected: 0.3 });
    outliers.start();
    count(0, 0, 20);
    count(1, 5, 20);
    await time.pass(1_000);
    expect(told()).toEqual([
      'endpoint-ejected 10.0.0.1:8080 failure-ratio',
      'ejection-suppressed 10.0.0.1:8081 failure-ratio',
    ]);
    expect(board.health.health(endpoints[1]!.slot, time.nowTick()).suppressedEjections).toBe(1);
  });

  it('eject who is slow beside the others', async () => {
    const { time, outliers, count, told } = outliersOf();
    outliers.start();
    for (const endpoint of [0, 1, 2]) count(endpoint, 10, 0, 10);
    count(3, 10, 0, 50);
    await time.pass(1_000);
    expect(told()).toEqual(['endpoint-ejected 10.0.0.1:8083 latency']);
  });

  it('do not judge who is out', async () => {
    const { time, outliers, count, told } = outliersOf();
    outliers.start();
    count(0, 0, 20);
    await time.pass(1_000);
    count(0, 0, 20);
    await time.pass(1_000);
    expect(told().length).toBe(1);
  });

  it('do not hold against who returned what came before, in the same interval', async () => {
    const { upstream, endpoints, time, outliers, count, told } = outliersOf();
    outliers.start();
    count(0, 0, 20);
    await time.pass(1_000);
    count(0, 0, 20); // sent before it was ejected
    await time.pass(300);
    outliers.checked(upstream, endpoints[0]!, time.nowMs());
    await time.pass(700);
    expect(told().map((line) => line.split(' ')[0])).toEqual(['endpoint-ejected', 'endpoint-returned']);
    count(0, 0, 20);
    await time.pass(1_000);
    expect(told().at(-1)).toBe('endpoint-ejected 10.0.0.1:8080 failure-ratio');
  });

  it('look at nothing where there is no rule for intervals, and no more once closed', () => {
    const without = outliersOf({ failureRatio: null, latency: null });
    without.outliers.start();
    expect(without.time.pending).toBe(0);
    const { time, outliers } = outliersOf();
    outliers.start();
    expect(time.pending).toBe(1);
    outliers.close();
    outliers.close();
    expect(time.pending).toBe(0);
  });
});

describe('a good active check', () => {
  async function ejected() {
    const of = outliersOf();
    of.outliers.start();
    of.count(0, 0, 20);
    await of.time.pass(1_000);
    return { ...of, isOut: () => of.board.health.health(of.endpoints[0]!.slot, of.time.nowTick()).ejection };
  }

  it('takes back who was ejected before it began', async () => {
    const { outliers, upstream, endpoints, time, told, isOut } = await ejected();
    await time.pass(100);
    outliers.checked(upstream, endpoints[0]!, time.nowMs());
    expect([isOut(), told().at(-1)]).toEqual(['none', 'endpoint-returned 10.0.0.1:8080']);
  });

  it('says nothing for who was ejected while it was under way', async () => {
    const { outliers, upstream, endpoints, time, isOut } = await ejected();
    outliers.checked(upstream, endpoints[0]!, time.nowMs() - 50);
    expect(isOut()).toBe('ejected');
  });

  it('takes back who is on trial', async () => {
    const { outliers, upstream, endpoints, time, isOut } = await ejected();
    await time.pass(10_000);
    expect(isOut()).toBe('trial');
    outliers.checked(upstream, endpoints[0]!, time.nowMs());
    expect(isOut()).toBe('none');
  });

  it('changes nothing of who is not out', () => {
    const { outliers, upstream, endpoints, told } = outliersOf();
    outliers.checked(upstream, endpoints[0]!, 1_000);
    expect(told()).toEqual([]);
  });
});

describe('return watch', () => {
  it('tells once that an endpoint is out, and that it is back', async () => {
    const { board, upstream, endpoints, time, outliers, count } = outliersOf();
    const seen: string[] = [];
    const watch = new ReturnWatch({
      upstreams: [upstream],
      board,
      timers: time,
      left: (slot) => seen.push(`left ${slot}`),
      returned: (slot) => seen.push(`returned ${slot}`),
    });
    outliers.start();
    watch.start();
    count(2, 0, 20);
    await time.pass(3_000);
    const { slot } = endpoints[2]!;
    expect(seen).toEqual([`left ${slot}`]);
    outliers.checked(upstream, endpoints[2]!, time.nowMs());
    await time.pass(1_000);
    expect(seen).toEqual([`left ${slot}`, `returned ${slot}`]);
    watch.close();
    watch.close();
    outliers.close();
    expect(time.pending).toBe(0);
  });

  it('looks at no upstream without slow start', () => {
    const { board, upstream, time } = outliersOf();
    const upstreams = [{ ...upstream, slowStart: null }];
    new ReturnWatch({ upstreams, board, timers: time, left: () => {}, returned: () => {} }).start();
    expect(time.pending).toBe(0);
  });
});
