/** Requests under way while another plan begins to count: where their next attempt goes, and what they keep. */
import { describe, expect, it } from 'vitest';
import type { UpstreamPlan } from '../../../src/config/plan.js';
import { endpointPlan } from '../control/plans.js';
import { HELD, NOTHING_LEFT, pipelineOf, retry, SENT } from './scripted-exchange.js';

/** Without these endpoints of the first upstream. */
function without(plans: readonly UpstreamPlan[], ...gone: number[]): UpstreamPlan[] {
  const [first, ...rest] = plans as [UpstreamPlan, ...UpstreamPlan[]];
  return [{ ...first, endpoints: first.endpoints.filter((_, index) => !gone.includes(index)) }, ...rest];
}

describe('a plan that changes while requests are under way', () => {
  it('lets an attempt end where it began, on an endpoint that is gone', () => {
    const { begin, change, plans, serve, leftovers } = pipelineOf({ endpoints: 1 });
    const exchange = begin();
    change({ upstreams: without(plans, 0) });
    serve(exchange);
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('makes the next attempt on endpoints of now, but for those that have failed', () => {
    const { begin, change, plans, board, fail, slotOf, leftovers, serve } = pipelineOf({
      endpoints: 2,
      upstream: retry({ attempts: 4 }),
    });
    const exchange = begin();
    const first = exchange.calls[0] === 'begin a0' ? 0 : 1;
    const fresh = {
      ...endpointPlan('127.0.0.1', 9900, 0),
      ...board.assign(0, { weight: 1, cap: 0, isBackup: false, isResolved: true }),
    };
    const [before, other] = plans as [UpstreamPlan, UpstreamPlan];
    // The one that it has not tried is gone, and the two that are left have changed places.
    change({ upstreams: [{ ...before, endpoints: [fresh, before.endpoints[first]!] }, other] });
    fail(exchange, 'SLUICE_CONNECT_REFUSED', HELD);
    expect(exchange.upstream?.plan.endpoints[exchange.endpoint]?.slot).toBe(fresh.slot);
    fail(exchange, 'SLUICE_CONNECT_REFUSED', HELD);
    expect(exchange.calls.at(-1)).toBe('answer 502');
    expect(slotOf('a0')).not.toBe(fresh.slot);
    serve(begin());
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('gives those that wait places at endpoints that are new', async () => {
    const { begin, change, plans, board, time, rooms, leftovers, serve } = pipelineOf({
      endpoints: 1,
      cap: 1,
      upstream: { queue: { length: 4, record: 0, firstEntry: 0 } },
    });
    const first = begin();
    const waiting = begin();
    expect([waiting.state, rooms.size]).toEqual(['waiting', 1]);
    const fresh = {
      ...endpointPlan('127.0.0.1', 9900, 0),
      ...board.assign(0, { weight: 1, cap: 1, isBackup: false, isResolved: true }),
      maxConns: 1,
    };
    const [before, other] = plans as [UpstreamPlan, UpstreamPlan];
    change({ upstreams: [{ ...before, endpoints: [fresh] }, other] });
    await time.pass(50);
    expect([waiting.state, rooms.size]).toEqual(['attempting', 0]);
    expect(waiting.upstream?.plan.endpoints[waiting.endpoint]?.slot).toBe(fresh.slot);
    serve(waiting);
    serve(first);
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('lets those go on waiting whose queue is gone or has another length', async () => {
    const { begin, change, plans, rooms, leftovers, serve, time } = pipelineOf({
      endpoints: 1,
      cap: 1,
      upstream: { queue: { length: 4, record: 0, firstEntry: 0 } },
    });
    const first = begin();
    const waiting = begin();
    const [before, other] = plans as [UpstreamPlan, UpstreamPlan];
    change({ upstreams: [{ ...before, queue: { length: 2, record: 1, firstEntry: 4 } }, other] });
    const newcomer = begin();
    expect([waiting.state, newcomer.state, rooms.size]).toEqual(['waiting', 'waiting', 2]);
    serve(first);
    await time.pass(1);
    // Who has waited longer comes first, whatever the queue.
    expect([waiting.state, newcomer.state]).toEqual(['attempting', 'waiting']);
    change({ upstreams: [{ ...before, queue: null }, other] });
    serve(waiting);
    await time.pass(1);
    expect(newcomer.state).toBe('attempting');
    serve(newcomer);
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('keeps what has been learnt of an upstream that stays, wherever it stands', () => {
    const { change, plans, runtimes } = pipelineOf();
    const [first, second] = runtimes.all;
    change({ upstreams: structuredClone([plans[1]!, plans[0]!]).map((plan, index) => ({ ...plan, index })) });
    expect(runtimes.all).toEqual([second, first]);
    change({ upstreams: without(plans, 2) });
    expect(runtimes.all[0]).not.toBe(first);
    expect(runtimes.all[1]).toBe(second);
  });

  it('keeps retries and deadlines of the route that a request began with', () => {
    const { begin, change, fail, serve, leftovers } = pipelineOf({ upstream: retry({ attempts: 3 }) });
    const exchange = begin();
    change({ route: { retry: { attempts: 1 } } });
    fail(exchange, 'SLUICE_ENDPOINT_RESET', HELD | SENT);
    expect(exchange.calls.length).toBe(2);
    serve(exchange);
    const next = begin();
    fail(next, 'SLUICE_ENDPOINT_RESET', HELD | SENT);
    expect(next.calls.at(-1)).toBe('answer 502');
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('gives numbers of profiles again that nobody has, and no others', () => {
    const { begin, change, opened, serve } = pipelineOf({ upstream: retry({ attempts: 3, bodyBytes: 1 }) });
    const exchange = begin();
    const held = exchange.profiles[0]!;
    for (let plan = 0; plan < 1_000; plan++) change({ route: { timeouts: { firstByteMs: 1_000 + plan } } });
    expect(opened.size).toBeLessThan(8);
    // Its own still says what it began with.
    expect(opened.get(held)?.firstByteTimeoutMs).toBe(0);
    serve(exchange);
    change({ route: { timeouts: { firstByteMs: 5 } } });
    expect(exchange.route).toBeNull();
  });
});
