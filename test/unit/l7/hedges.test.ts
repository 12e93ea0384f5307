/** Second attempts beside first ones that are late. */
import { describe, expect, it } from 'vitest';
import { HELD, NOTHING_LEFT, pipelineOf, retry, SENT } from './scripted-exchange.js';

const hedged = { hedge: { kind: 'delay', afterMs: 50 } as const };

describe('a hedge', () => {
  it('begins elsewhere after the delay, and wins without blame for the first', async () => {
    const { begin, time, serve, inflight, failures, leftovers, board } = pipelineOf({ upstream: hedged });
    const exchange = begin();
    await time.pass(49);
    expect(exchange.calls).toEqual(['begin a0']);
    await time.pass(1);
    expect([exchange.calls, inflight()]).toEqual([
      ['begin a0', 'hedge a1'],
      [1, 1, 0],
    ]);
    serve(exchange, 200, true);
    expect([failures(), leftovers()]).toEqual([[0, 0, 0], NOTHING_LEFT]);
    expect(board.totals().traffic).toMatchObject({ hedges: 1, retries: 1, requests: 1 });
  });

  it('loses without blame', async () => {
    const { begin, time, serve, failures, leftovers } = pipelineOf({ upstream: hedged });
    const exchange = begin();
    await time.pass(50);
    serve(exchange);
    expect([failures(), leftovers()]).toEqual([[0, 0, 0], NOTHING_LEFT]);
  });

  it('takes the response of whoever is left when the other fails, and blames that one', async () => {
    const { begin, time, serve, fail, failures, leftovers } = pipelineOf({ upstream: hedged });
    const exchange = begin();
    await time.pass(50);
    fail(exchange, 'SLUICE_ENDPOINT_RESET', SENT);
    expect([exchange.calls, exchange.state]).toEqual([['begin a0', 'hedge a1'], 'attempting']);
    serve(exchange, 200, true);
    expect([failures(), leftovers()]).toEqual([[1, 0, 0], NOTHING_LEFT]);
  });

  it('is an attempt as others: behind both another one is tried', async () => {
    const { begin, time, fail, failHedge, failures } = pipelineOf({
      upstream: { ...hedged, ...retry({ attempts: 3 }) },
    });
    const exchange = begin();
    await time.pass(50);
    failHedge(exchange, 'SLUICE_ENDPOINT_RESET', SENT);
    fail(exchange, 'SLUICE_ENDPOINT_RESET', HELD | SENT);
    expect([exchange.calls, failures()]).toEqual([
      ['begin a0', 'hedge a1', 'again a2'],
      [1, 1, 0],
    ]);
  });

  it('that is asked about gives way to the first attempt, and the first one to it', async () => {
    const { begin, time, ask, serve, leftovers } = pipelineOf({
      upstream: { ...hedged, ...retry({ attempts: 3, statuses: [503] }) },
    });
    const first = begin();
    const second = begin();
    await time.pass(50);
    ask(first, 503, '', true);
    ask(second, 503);
    expect([first.state, second.state]).toEqual(['attempting', 'attempting']);
    serve(first);
    serve(second, 200, true);
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it.each([
    ['a POST', 'POST', {}, {}],
    ['a POST with an Idempotency-Key: two at a time is no retry', 'POST', { 'idempotency-key': 'k' }, {}],
    ['a request with one attempt', 'GET', {}, { retry: { attempts: 1 } }],
    ['a route that does not hedge', 'GET', {}, { hedge: null }],
  ])('is not made for %s', async (_name, method, fields, route) => {
    const { begin, time } = pipelineOf({ upstream: hedged, route });
    const exchange = begin(method, fields);
    await time.pass(1_000);
    expect(exchange.calls).toEqual(['begin a0']);
  });

  it('is made only once, and only where an endpoint has a place', async () => {
    const { begin, time } = pipelineOf({ endpoints: 2, cap: 1, upstream: { ...hedged, ...retry({ attempts: 4 }) } });
    const exchange = begin();
    const other = begin();
    await time.pass(500);
    expect([exchange.calls, other.calls]).toEqual([['begin a0'], ['begin a1']]);
  });

  it('draws from the retry budget, and gives back what it could not use', async () => {
    const budget = { share: 0, perSecond: 0.1 };
    const { begin, time, worker } = pipelineOf({ upstream: { ...hedged, ...retry({ budget }) } });
    const unable = begin();
    unable.canHedge = false;
    await time.pass(50);
    const first = begin();
    const second = begin();
    await time.pass(50);
    expect([unable.calls, first.calls.length, second.calls.length]).toEqual([['begin a0'], 2, 1]);
    expect(worker.retryBudgets.withdrawn(0, 5_000)).toBe(1);
  });

  it('is not made for a request that was served, or for the next one of the same object', async () => {
    const { begin, time, serve } = pipelineOf({ upstream: hedged });
    const exchange = begin();
    await time.pass(30);
    serve(exchange);
    begin('GET', {}, exchange);
    await time.pass(30);
    expect(exchange.calls).toEqual(['begin a0', 'begin a1']);
    await time.pass(20);
    expect(exchange.calls.at(-1)).toMatch(/^hedge/);
  });

  it('has one timer for all that wait, none when all are served, and may be made of many at a time', async () => {
    const { begin, time, serve, leftovers } = pipelineOf({ endpoints: 4, upstream: hedged });
    const exchanges = Array.from({ length: 200 }, () => begin());
    expect(time.pending).toBe(1);
    for (const exchange of exchanges.slice(1)) serve(exchange);
    await time.pass(60);
    expect([time.pending, exchanges.filter(({ calls }) => calls.length > 1).length]).toEqual([0, 1]);
    serve(exchanges[0]!, 200, true);
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('is not made where the request has gone elsewhere already, since its endpoint was drained', async () => {
    const { begin, time, pipeline, slotOf, serve, leftovers } = pipelineOf({
      upstream: { ...hedged, ...retry({ attempts: 4 }) },
    });
    const exchange = begin();
    await time.pass(20);
    pipeline.cut(exchange, slotOf('a0'));
    await time.pass(200);
    expect(exchange.calls).toEqual(['begin a0', 'hedge a1']);
    serve(exchange, 200, true);
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('never lets an answer bind its client to the endpoint of the other attempt', async () => {
    const cookie = { path: '/', domain: null, maxAgeS: 0, isSecure: false, isHttpOnly: true, sameSite: null } as const;
    const affinity = { kind: 'cookie', name: 'bound', secret: 'some secret', ...cookie } as const;
    const { begin, time, pipeline, slotOf } = pipelineOf({ upstream: { ...hedged, affinity } });
    const exchange = begin();
    await time.pass(100);
    expect(exchange.calls.slice(1)).toEqual(['begin a0']);
    pipeline.cut(exchange, slotOf('a0'));
    expect(exchange.calls.slice(2)).toEqual(['hedge a1', 'field set-cookie: null']);
  });

  it('waits for a quantile of recent answers, and is not made before there are any', async () => {
    const { begin, time, serve } = pipelineOf({ upstream: { hedge: { kind: 'quantile', quantile: 0.9, leastMs: 1 } } });
    const early = begin();
    await time.pass(1_000);
    expect(early.calls).toEqual(['begin a0']);
    serve(early, 200, false, 20_000);
    for (let answered = 0; answered < 64; answered++) serve(begin(), 200, false, 20_000);
    const late = begin();
    await time.pass(19);
    expect(late.calls).toHaveLength(1);
    await time.pass(4);
    expect(late.calls).toHaveLength(2);
  });
});
