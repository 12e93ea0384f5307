/** What the rules of slow start and moving weights make of the board. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../../src/board/board.js';
import { attachBoard } from '../../../../src/board/worker-board.js';
import type { UpstreamPlan } from '../../../../src/config/plan.js';
import type { AgentResponse } from '../../../../src/control/weights/agent-question.js';
import { WeightKeeper } from '../../../../src/control/weights/weight-keeper.js';
import { FakeTime } from '../fake-time.js';
import { captureLog } from '../log-capture.js';
import { endpointPlan, upstreamPlan } from '../plans.js';

const slowStart = { windowMs: 10_000, aggression: 1, leastShare: 0.1 };

/** A keeper of one upstream with three endpoints of weight 1 and cap 10. */
function keeperOf(parts: Partial<UpstreamPlan>) {
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
    workers: 1,
    listeners: 1,
    clientEntries: 16,
  });
  const settings = { weight: 1, cap: 10, isBackup: false, isResolved: true };
  const endpoints = [0, 1, 2].map((index) => ({
    ...endpointPlan('10.0.0.1', 8080 + index, 0),
    ...board.assign(0, settings),
  }));
  const upstream = { ...upstreamPlan(endpoints), ...parts };
  const time = new FakeTime();
  const log = captureLog();
  const agent: { response: AgentResponse } = { response: { ok: true, line: 'up' } };
  const keeper = new WeightKeeper({
    upstreams: [upstream],
    board,
    clock: time,
    timers: time,
    rng: () => 0.5,
    logger: log.logger,
    addressesOf: (slot) => [`10.0.0.1:${8080 + slot}`],
    ask: async (target) => (target.port === 9100 ? agent.response : { ok: false, reason: 'ECONNREFUSED' }),
  });
  const { control } = board;
  const slots = endpoints.map(({ slot }) => slot) as [number, number, number];
  return {
    board,
    control,
    keeper,
    upstream,
    endpoints,
    slots,
    settings,
    time,
    log,
    agent,
    worker: attachBoard(board.buffer, 0),
    weights: () => slots.map((slot) => control.weight(slot)),
    caps: () => slots.map((slot) => control.cap(slot)),
  };
}

describe('slow start of an endpoint that was ejected', () => {
  it('begins low while it is out, and goes on from its return', async () => {
    const { keeper, time, weights, caps, slots, log } = keeperOf({ slowStart });
    keeper.start();
    keeper.ejected(slots[1]);
    expect([weights(), caps()]).toEqual([
      [100, 10, 100],
      [10, 1, 10],
    ]);
    await time.pass(20_000);
    expect(weights()).toEqual([100, 10, 100]);
    keeper.returned(slots[1]);
    await time.pass(5_000);
    expect([weights()[1], log.events()[0]]).toEqual([50, 'slow-start-begun']);
    await time.pass(6_000);
    expect(weights()).toEqual([100, 100, 100]);
  });

  it('does nothing without slow start', () => {
    const { keeper, weights, slots } = keeperOf({});
    keeper.start();
    keeper.ejected(slots[1]);
    keeper.returned(slots[1]);
    expect(weights()).toEqual([100, 100, 100]);
  });
});

describe('slow start on the board', () => {
  it('does not begin at the start', async () => {
    const { keeper, time, weights, slots } = keeperOf({ slowStart });
    keeper.start();
    expect([weights(), time.pending, keeper.rampProgress(slots[0])]).toEqual([[100, 100, 100], 0, null]);
  });

  it.each([
    ['recovers', (of: ReturnType<typeof keeperOf>, is: boolean) => of.control.setHealthy(of.slots[1], is)],
    ['is enabled', (of: ReturnType<typeof keeperOf>, is: boolean) => of.control.setEnabled(of.slots[1], is)],
    ['drains no more', (of: ReturnType<typeof keeperOf>, is: boolean) => of.control.setDraining(of.slots[1], !is)],
    ['resolves', (of: ReturnType<typeof keeperOf>, is: boolean) => of.control.setResolved(of.slots[1], is)],
    ['gets weight', (of: ReturnType<typeof keeperOf>, is: boolean) => of.control.setWeight(of.slots[1], is ? 1 : 0)],
  ])('lets weight and cap grow when an endpoint %s', async (_name, take) => {
    const of = keeperOf({ slowStart });
    of.keeper.start();
    take(of, false);
    await of.time.pass(60_000);
    take(of, true);
    expect([of.weights(), of.caps()]).toEqual([
      [100, 10, 100],
      [10, 1, 10],
    ]);
    await of.time.pass(5_000);
    expect([of.weights(), of.caps()]).toEqual([
      [100, 50, 100],
      [10, 5, 10],
    ]);
    expect(of.keeper.rampProgress(of.slots[1])).toBe(0.5);
    await of.time.pass(5_000);
    expect([of.weights(), of.caps(), of.time.pending]).toEqual([[100, 100, 100], [10, 10, 10], 0]);
    expect(of.log.events()).toEqual(['slow-start-begun', 'slow-start-ended']);
  });

  it('bumps the control epoch once for each step of all endpoints', async () => {
    const of = keeperOf({ slowStart });
    of.keeper.start();
    for (const slot of [of.slots[1], of.slots[2]]) of.control.setHealthy(slot, false);
    for (const slot of [of.slots[1], of.slots[2]]) of.control.setHealthy(slot, true);
    await of.time.pass(2_000);
    const before = of.board.upstreams.controlEpoch(0);
    await of.time.pass(500);
    expect(of.board.upstreams.controlEpoch(0)).toBe(before + 5);
  });

  it.each(['ketama', 'ip-hash', 'first'] as const)('ramps caps only with %s', async (balance) => {
    const of = keeperOf({ slowStart, balance });
    of.keeper.start();
    of.control.setHealthy(of.slots[1], false);
    of.control.setHealthy(of.slots[1], true);
    expect([of.weights(), of.caps()]).toEqual([
      [100, 100, 100],
      [10, 1, 10],
    ]);
  });

  it('leaves an upstream alone that asks for none', () => {
    const of = keeperOf({});
    of.keeper.start();
    of.control.setHealthy(of.slots[1], false);
    of.control.setHealthy(of.slots[1], true);
    expect([of.weights(), of.time.pending, of.log.events()]).toEqual([[100, 100, 100], 0, []]);
  });

  it('ends with close, also twice', () => {
    const of = keeperOf({ slowStart, weights: { kind: 'performance' } });
    of.keeper.start();
    of.control.setHealthy(of.slots[1], false);
    of.control.setHealthy(of.slots[1], true);
    of.keeper.close();
    of.keeper.close();
    expect(of.time.pending).toBe(0);
    of.control.setHealthy(of.slots[2], false);
    of.control.setHealthy(of.slots[2], true);
    expect(of.weights()[2]).toBe(100);
  });
});

describe('performance weights on the board', () => {
  /** One second of traffic. */
  async function second(of: ReturnType<typeof keeperOf>, latenciesUs: readonly number[]): Promise<void> {
    for (const [index, slot] of of.slots.entries()) {
      for (let attempt = 0; attempt < 20; attempt++) of.worker.stripe.countAttempt(slot, false);
      of.board.load.replaceLatency(slot, of.board.load.latencyUs(slot), latenciesUs[index]!, of.time.nowTick());
    }
    await of.time.pass(1_000);
  }

  it('move away from a slow endpoint, and say so now and then', async () => {
    const of = keeperOf({ weights: { kind: 'performance' } });
    of.keeper.start();
    for (let seconds = 0; seconds < 40; seconds++) await second(of, [10_000, 10_000, 40_000]);
    expect(of.weights().slice(0, 2)).toEqual([100, 100]);
    expect(of.weights()[2]).toBeLessThan(32);
    expect(of.caps()).toEqual([10, 10, 10]);
    const moved = of.log.records.filter(({ event }) => event === 'weights-moved');
    expect(moved.length).toBeGreaterThan(0);
    expect(moved.length).toBeLessThanOrEqual(4);
    expect(moved[0]).toMatchObject({ upstream: 'api', by: 'performance', weights: { '10.0.0.1:8080': 1 } });
  });

  it('change nothing while endpoints are equal', async () => {
    const of = keeperOf({ weights: { kind: 'performance' } });
    of.keeper.start();
    const before = of.board.upstreams.controlEpoch(0);
    for (let seconds = 0; seconds < 10; seconds++) await second(of, [10_000, 10_500, 9_900]);
    expect(of.board.upstreams.controlEpoch(0)).toBe(before);
  });

  it('hold still where a balancer hashes', async () => {
    const of = keeperOf({ weights: { kind: 'performance' }, balance: 'maglev' });
    of.keeper.start();
    for (let seconds = 0; seconds < 10; seconds++) await second(of, [10_000, 10_000, 40_000]);
    expect([of.weights(), of.time.pending]).toEqual([[100, 100, 100], 0]);
  });

  it('do not judge an endpoint that warms up', async () => {
    const of = keeperOf({ weights: { kind: 'performance' }, slowStart: { ...slowStart, windowMs: 60_000 } });
    of.keeper.start();
    of.control.setHealthy(of.slots[2], false);
    of.control.setHealthy(of.slots[2], true);
    for (let seconds = 0; seconds < 30; seconds++) await second(of, [10_000, 10_000, 40_000]);
    expect([of.control.movedShare(of.slots[2]), of.weights()[2]]).toEqual([1, 50]);
  });
});

describe('reported weights on the board', () => {
  it('follow the reports after the blackout, and return without them', async () => {
    const of = keeperOf({ weights: { kind: 'reported' } });
    of.keeper.start();
    const report = (index: number, utilization: number): void => {
      const { slot, generation } = of.endpoints[index]!;
      of.worker.reports.store(slot, generation, utilization, 100, 0, of.time.nowMs());
    };
    for (let seconds = 0; seconds < 9; seconds++) {
      report(0, 0.25);
      report(1, 0.75);
      await of.time.pass(1_000);
    }
    expect(of.weights()).toEqual([100, 100, 100]);
    await of.time.pass(2_000);
    expect(of.weights()).toEqual([150, 50, 100]);
    await of.time.pass(180_000);
    expect(of.weights()).toEqual([100, 100, 100]);
  });
});

describe('the word of an agent on the board', () => {
  const weights = { kind: 'agent', port: 9100, intervalMs: 1_000, timeoutMs: 100 } as const;

  it('moves weight and cap, and takes the endpoint out and back', async () => {
    const of = keeperOf({ weights });
    of.keeper.start();
    of.agent.response = { ok: true, line: '50% maxconn:4' };
    await of.time.pass(1_500);
    expect([of.weights(), of.caps()]).toEqual([
      [50, 50, 50],
      [4, 4, 4],
    ]);
    of.agent.response = { ok: true, line: 'drain down' };
    await of.time.pass(1_500);
    expect(of.slots.map((slot) => of.control.takesWork(slot))).toEqual([false, false, false]);
    expect(of.control.state(of.slots[0])).toMatchObject({ isDraining: true, isHealthy: false, isEnabled: true });
    of.agent.response = { ok: true, line: 'up ready' };
    await of.time.pass(1_500);
    expect(of.slots.map((slot) => of.control.takesWork(slot))).toEqual([true, true, true]);
    const said = of.log.records.filter(({ event }) => event === 'agent-said');
    expect(said.map(({ words }) => words)).toEqual([
      ...Array(3).fill(['drain', 'down']),
      ...Array(3).fill(['ready', 'up']),
    ]);
  });

  it('gives way to the operator until it says something else', async () => {
    const of = keeperOf({ weights });
    of.keeper.start();
    of.agent.response = { ok: true, line: 'maint' };
    await of.time.pass(1_500);
    of.control.setEnabled(of.slots[0], true);
    await of.time.pass(5_000);
    expect(of.slots.map((slot) => of.control.takesWork(slot))).toEqual([true, false, false]);
    of.control.setDraining(of.slots[1], true);
    of.agent.response = { ok: true, line: 'ready' };
    await of.time.pass(1_500);
    expect(of.slots.map((slot) => of.control.takesWork(slot))).toEqual([true, false, true]);
  });
});

describe('another plan', () => {
  it('lets endpoints of both go on, and those that joined warm up', async () => {
    const of = keeperOf({ slowStart, weights: { kind: 'agent', port: 9100, intervalMs: 1_000, timeoutMs: 100 } });
    of.agent.response = { ok: true, line: '50%' };
    of.keeper.start();
    of.control.setHealthy(of.slots[1], false);
    of.control.setHealthy(of.slots[1], true);
    await of.time.pass(5_000);
    const joins = { ...endpointPlan('10.0.0.1', 8090, 0), ...of.board.assign(0, of.settings) };
    of.keeper.replace([{ ...of.upstream, endpoints: [...of.endpoints.slice(1), joins] }], [joins.slot]);
    const weights = () => [of.slots[1], of.slots[2], joins.slot].map((slot) => of.control.weight(slot));
    expect(weights()).toEqual([25, 50, 10]);
    await of.time.pass(5_000);
    expect(weights()).toEqual([50, 50, 25]);
  });

  it('counts in full what no rule of it moves any more', async () => {
    const of = keeperOf({ slowStart, weights: { kind: 'agent', port: 9100, intervalMs: 1_000, timeoutMs: 100 } });
    of.keeper.start();
    of.control.setHealthy(of.slots[1], false);
    of.control.setHealthy(of.slots[1], true);
    of.agent.response = { ok: true, line: '50% maxconn:2 drain' };
    await of.time.pass(1_500);
    of.keeper.replace([{ ...of.upstream, slowStart: null, weights: { kind: 'fixed' } }], []);
    expect([of.weights(), of.caps(), of.time.pending]).toEqual([[100, 100, 100], [10, 10, 10], 0]);
    expect(of.slots.map((slot) => of.control.takesWork(slot))).toEqual([true, true, true]);
  });
});
