/** What the operator changes of endpoints while the proxy runs. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import type { EndpointPlan } from '../../../src/config/plan.js';
import { EndpointOperator } from '../../../src/control/endpoint-operator.js';
import { FakeTime } from './fake-time.js';
import { captureLog } from './log-capture.js';
import { endpointPlan, upstreamPlan } from './plans.js';

function operated() {
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
  const { claims } = attachBoard(board.buffer, 0);
  const endpoint: EndpointPlan = {
    ...endpointPlan('10.0.0.1', 80, 0),
    ...board.assign(0, { weight: 3, cap: 0, isBackup: false, isResolved: true }),
  };
  const { slot, generation } = endpoint;
  const upstream = upstreamPlan([endpoint]);
  const time = new FakeTime();
  const log = captureLog();
  const cuts: string[] = [];
  const operator = new EndpointOperator({
    board,
    clock: time,
    timers: time,
    logger: log.logger,
    cut: ({ name }) => {
      cuts.push(name);
    },
  });
  return {
    control: board.control,
    slot,
    time,
    log,
    cuts,
    operator,
    change: (change: Parameters<EndpointOperator['change']>[2]) => operator.change(upstream, endpoint, change),
    claim: () => claims.claim(slot, generation, 0),
    end: () => claims.end(slot, generation),
  };
}

describe('operator', () => {
  it('drains an endpoint, tells when nothing is left, and looks no more', async () => {
    const { change, claim, end, control, slot, time, log, operator } = operated();
    claim();
    expect(change({ state: 'draining' })).toBe(true);
    expect(control.takesWork(slot)).toBe(false);
    await time.pass(60_000);
    expect(log.events()).toEqual(['endpoint-draining']);
    expect(operator.drainOf(slot)).toMatchObject({ since: 1_000, timeoutMs: null, inFlightAtStart: 1 });
    end();
    await time.pass(500);
    expect(log.records.map(({ event, inFlight, tookMs }) => [event, inFlight, tookMs])).toEqual([
      ['endpoint-draining', 1, undefined],
      ['endpoint-drained', undefined, 60_200],
    ]);
    expect([operator.drainOf(slot)?.phase.kind, time.pending]).toEqual(['drained', 0]);
  });

  it('cuts what is in flight when the time to drain is over', async () => {
    const { change, claim, end, time, log, cuts } = operated();
    claim();
    change({ state: 'draining', drainTimeoutMs: 2_000 });
    await time.pass(1_900);
    expect(cuts).toEqual([]);
    await time.pass(100);
    expect([cuts, log.events()]).toEqual([['10.0.0.1:80'], ['endpoint-draining', 'drain-timeout']]);
    end();
    await time.pass(200);
    expect([log.events().at(-1), time.pending]).toEqual(['endpoint-drained', 0]);
  });

  it('gives a drain another time while it lasts', async () => {
    const { change, claim, time, cuts, operator, slot } = operated();
    claim();
    change({ state: 'draining' });
    await time.pass(1_000);
    expect(change({ drainTimeoutMs: 1_500 })).toBe(true);
    await time.pass(400);
    expect([cuts.length, operator.drainOf(slot)?.timeoutMs]).toEqual([0, 1_500]);
    await time.pass(200);
    expect(cuts.length).toBe(1);
  });

  it('refuses a time for no drain, and changes nothing then', () => {
    const { change, control, slot } = operated();
    expect(change({ drainTimeoutMs: 1_000, weight: 9 })).toBe(false);
    expect(control.state(slot)).toMatchObject({ weight: 3, isDraining: false });
  });

  it('does not begin a drain anew that is under way', async () => {
    const { change, claim, time, log, operator, slot } = operated();
    claim();
    change({ state: 'draining', drainTimeoutMs: 5_000 });
    await time.pass(1_000);
    change({ state: 'draining' });
    expect([log.events(), operator.drainOf(slot)]).toMatchObject([
      ['endpoint-draining'],
      { since: 1_000, timeoutMs: 5_000 },
    ]);
  });

  it.each([
    ['enabled', true, 'endpoint-enabled'],
    ['disabled', false, 'endpoint-disabled'],
  ] as const)('ends a drain by %s', async (state, takesWork, event) => {
    const { change, claim, control, slot, time, log, cuts, operator } = operated();
    claim();
    change({ state: 'draining', drainTimeoutMs: 1_000 });
    change({ state });
    await time.pass(5_000);
    expect([operator.drainOf(slot), control.takesWork(slot), cuts, time.pending]).toEqual([null, takesWork, [], 0]);
    expect(log.events()).toEqual(['endpoint-draining', event]);
  });

  it('lets no endpoint take work on its way between two states without work', () => {
    const { change, control, slot } = operated();
    const ramps: number[] = [];
    control.rampAtReturn((of) => {
      ramps.push(of);
      return { weightRamp: 1, capRamp: 1 };
    });
    change({ state: 'disabled' });
    change({ state: 'draining' });
    change({ state: 'disabled' });
    expect(ramps).toEqual([]);
    change({ state: 'enabled' });
    expect(ramps).toEqual([slot]);
  });

  it('says nothing of a state that it is in, and tells another weight', () => {
    const { change, control, slot, log } = operated();
    change({ state: 'enabled' });
    change({ weight: 3 });
    change({ weight: 7 });
    expect([log.events(), control.state(slot).weight]).toEqual([['endpoint-weight'], 7]);
  });

  it('lets an endpoint of weight 0 take nothing', () => {
    const { change, control, slot } = operated();
    change({ weight: 0 });
    expect(control.weight(slot)).toBe(0);
  });

  it('looks at nothing any more once closed, also twice', async () => {
    const { change, claim, time, cuts, operator } = operated();
    claim();
    change({ state: 'draining', drainTimeoutMs: 1_000 });
    operator.close();
    operator.close();
    await time.pass(5_000);
    expect([cuts, time.pending]).toEqual([[], 0]);
  });
});
