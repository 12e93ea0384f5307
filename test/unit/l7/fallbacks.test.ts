/** What takes the place of the proxy's own answers, and what waits or is refused before it comes to that. */
import { describe, expect, it } from 'vitest';
import type { FallbackPlan, RouteBreakerPlan } from '../../../src/config/resilience-plan.js';
import { NO_FALLBACK } from '../../../src/config/resilience-plan.js';
import { HELD, NOTHING_LEFT, pipelineOf, retry, SENT } from './scripted-exchange.js';

const elsewhere: FallbackPlan = { upstream: 1, response: null };
const sorry: FallbackPlan = {
  upstream: NO_FALLBACK,
  response: { status: 200, headers: { 'content-type': 'text/plain' }, body: 'later' },
};

describe('a fallback', () => {
  it('gives the request to another upstream when its own has failed it', () => {
    const { begin, fail, serve, leftovers, counted, inflight } = pipelineOf({
      endpoints: 1,
      route: { fallback: elsewhere },
    });
    const exchange = begin();
    fail(exchange, 'SLUICE_CONNECT_REFUSED', HELD);
    expect([exchange.calls, inflight(1)]).toEqual([['begin a0', 'again b0'], [1]]);
    serve(exchange);
    expect([leftovers(), counted()]).toEqual([NOTHING_LEFT, {}]);
  });

  it('begins there when no endpoint has been asked at all', () => {
    const { begin } = pipelineOf({ endpoints: 0, route: { fallback: elsewhere } });
    expect(begin().calls).toEqual(['begin b0']);
  });

  it('gives its attempts their own number, and its failure the code of the first one', () => {
    const { begin, fail, counted, log } = pipelineOf({
      endpoints: 1,
      upstream: retry({ attempts: 1 }),
      route: { fallback: { ...sorry, upstream: 1 } },
    });
    const exchange = begin();
    fail(exchange, 'SLUICE_FIRST_BYTE_TIMEOUT');
    fail(exchange, 'SLUICE_ENDPOINT_RESET');
    expect(exchange.calls).toEqual(['begin a0', 'again b0', 'answer 200']);
    expect(exchange.responses[0]).toEqual({ status: 200, head: '200 OK\r\ncontent-type: text/plain', body: 'later' });
    expect(counted()).toEqual({ SLUICE_FIRST_BYTE_TIMEOUT: 1 });
    expect(log.records.at(-1)).toMatchObject({ code: 'SLUICE_FIRST_BYTE_TIMEOUT', attempts: 2, status: 200 });
  });

  it.each([
    ['a POST that was sent', 'POST', HELD | SENT, ['begin a0', 'answer 200']],
    ['a GET that is not held', 'GET', SENT, ['begin a0', 'answer 200']],
    ['a POST that was not sent', 'POST', HELD, ['begin a0', 'again b0']],
  ])('gives %s to no other upstream unless that is safe', (_name, method, facts, calls) => {
    const { begin, fail } = pipelineOf({ endpoints: 1, route: { fallback: { ...sorry, upstream: 1 } } });
    const exchange = begin(method);
    fail(exchange, 'SLUICE_ENDPOINT_RESET', facts);
    expect(exchange.calls).toEqual(calls);
  });

  it.each([
    ['not again by the word of the first upstream', true, false, HELD | SENT, ['begin a0', 'again b0', 'answer 502']],
    ['again by its own word', false, true, HELD, ['begin a0', 'again b0', 'again b1']],
  ])('sends a POST %s', (_name, isFirstGenerous, isSecondGenerous, facts, calls) => {
    const { begin, fail } = pipelineOf({
      endpoints: 1,
      seconds: 2,
      upstream: retry({ nonIdempotent: isFirstGenerous }),
      second: retry({ nonIdempotent: isSecondGenerous }),
      route: { fallback: elsewhere },
    });
    const exchange = begin('POST');
    fail(exchange, 'SLUICE_ENDPOINT_RESET', facts);
    fail(exchange, 'SLUICE_ENDPOINT_RESET', HELD | SENT);
    expect(exchange.calls).toEqual(calls);
  });

  it('leaves answers of endpoints alone, and what the client has done wrong', () => {
    const { begin, serve, pipeline, counted } = pipelineOf({ route: { fallback: sorry } });
    const served = begin();
    serve(served, 503);
    const wrong = begin();
    pipeline.clientFailed(wrong, 'SLUICE_BODY_TOO_LARGE');
    expect([served.calls, wrong.calls.at(-1), counted()]).toEqual([
      ['begin a0'],
      'answer 413',
      { SLUICE_BODY_TOO_LARGE: 1 },
    ]);
  });

  it('has no time for another upstream when the deadline over all attempts has passed', () => {
    const { begin, fail } = pipelineOf({ route: { fallback: elsewhere, exchangeTimeoutMs: 100 } });
    const exchange = begin();
    fail(exchange, 'SLUICE_EXCHANGE_TIMEOUT', SENT);
    expect(exchange.calls).toEqual(['begin a0', 'answer 504']);
  });
});

describe('the queue', () => {
  const queued = { queue: { length: 2, record: 0, firstEntry: 0 } };

  it('keeps a request until a place is free', async () => {
    const { begin, serve, time, leftovers } = pipelineOf({ endpoints: 1, cap: 1, upstream: queued });
    const first = begin();
    const second = begin();
    expect([second.calls, second.state]).toEqual([['put off'], 'waiting']);
    serve(first);
    await time.pass(1);
    expect(second.calls).toEqual(['put off', 'begin a0']);
    serve(second);
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('answers 503 when its time is over, and when as many wait as may', async () => {
    const { begin, time, counted, leftovers, serve } = pipelineOf({ endpoints: 1, cap: 1, upstream: queued });
    const first = begin();
    const waiting = [begin(), begin()];
    const refused = begin();
    expect(refused.calls).toEqual(['answer 503']);
    await time.pass(1_100);
    expect(waiting.map(({ calls }) => calls)).toEqual([
      ['put off', 'answer 503'],
      ['put off', 'answer 503'],
    ]);
    expect(counted()).toEqual({ SLUICE_QUEUE_FULL: 1, SLUICE_QUEUE_TIMEOUT: 2 });
    serve(first);
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('says that it is the whole exchange whose time is over', async () => {
    const { begin, time, counted } = pipelineOf({
      endpoints: 1,
      cap: 1,
      upstream: queued,
      route: { exchangeTimeoutMs: 300 },
    });
    begin();
    begin();
    await time.pass(400);
    expect(counted()).toEqual({ SLUICE_EXCHANGE_TIMEOUT: 1 });
  });

  it('lets the better priority go first, by its header, else by its route', async () => {
    const { begin, serve, time } = pipelineOf({
      endpoints: 1,
      cap: 1,
      upstream: queued,
      route: { priority: 4, priorityHeader: 'x-priority' },
    });
    const first = begin();
    const [usual, urgent] = [begin('GET', { 'x-priority': 'none' }), begin('GET', { 'x-priority': '1' })];
    serve(first);
    await time.pass(1);
    expect([usual.state, urgent.state]).toEqual(['waiting', 'attempting']);
  });

  it('is left by a client that goes', async () => {
    const { begin, pipeline, serve, leftovers, time } = pipelineOf({ endpoints: 1, cap: 1, upstream: queued });
    const first = begin();
    pipeline.finished(begin(), 'SLUICE_CLIENT_GONE');
    serve(first);
    await time.pass(1_200);
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('gives way to a fallback', () => {
    const { begin } = pipelineOf({
      endpoints: 1,
      cap: 1,
      upstream: { queue: { length: 1, record: 0, firstEntry: 0 } },
      route: { fallback: elsewhere },
    });
    begin();
    begin();
    expect(begin().calls).toEqual(['begin b0']);
  });
});

describe('the breaker of a route', () => {
  const breaker: RouteBreakerPlan = {
    record: 0,
    errorRatio: 0,
    leastRequests: 1,
    windowMs: 10_000,
    failuresInRow: 2,
    latency: null,
    openMs: 4_000,
    mostOpenMs: 60_000,
    probes: 1,
  };

  it('refuses requests after failures, and says when to come again', async () => {
    const { begin, fail, serve, counted, time, leftovers } = pipelineOf({ endpoints: 1, route: { breaker } });
    for (let failed = 0; failed < 2; failed++) fail(begin(), 'SLUICE_FIRST_BYTE_TIMEOUT');
    const refused = begin();
    expect(refused.calls).toEqual(['answer 503']);
    expect(refused.responses[0]!.head).toContain('retry-after: 4');
    expect(counted()).toMatchObject({ SLUICE_BREAKER_OPEN: 1 });
    await time.pass(4_000);
    const probe = begin();
    expect([probe.calls, begin().calls]).toEqual([['begin a0'], ['answer 503']]);
    serve(probe);
    serve(begin());
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('counts answers of endpoints, gives a probe back whose client left, and has a fallback serve meanwhile', async () => {
    const { begin, serve, pipeline, time } = pipelineOf({ route: { breaker, fallback: elsewhere } });
    for (let failed = 0; failed < 2; failed++) serve(begin(), 500);
    expect(begin().calls).toEqual(['begin b0']);
    await time.pass(4_000);
    pipeline.finished(begin(), 'SLUICE_CLIENT_GONE');
    expect(begin().calls[0]).toMatch(/^begin a/);
  });
});
