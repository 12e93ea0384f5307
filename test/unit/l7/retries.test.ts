/** What follows an attempt that failed, or an answer that may be tried again. */
import { describe, expect, it } from 'vitest';
import { NEVER } from '../../../src/core/tick.js';
import { ANSWERED, HELD, NOTHING_LEFT, pipelineOf, retry, SENT } from './scripted-exchange.js';

describe('an attempt that failed', () => {
  it('is followed by one elsewhere, and leaves nothing behind', () => {
    const { begin, fail, serve, failures, leftovers, counted, log } = pipelineOf();
    const exchange = begin();
    fail(exchange, 'SLUICE_ENDPOINT_RESET');
    expect(exchange.calls).toEqual(['begin a0', 'again a1']);
    serve(exchange);
    expect([failures(), leftovers(), counted(), log.events()]).toEqual([
      [1, 0, 0],
      NOTHING_LEFT,
      {},
      ['attempt-failed'],
    ]);
  });

  it.each([
    ['a POST that was sent', 'POST', {}, HELD | SENT, ['begin a0', 'answer 502']],
    ['a POST that was not', 'POST', {}, HELD, ['begin a0', 'again a1']],
    ['a POST with an Idempotency-Key', 'POST', { 'idempotency-key': 'k' }, HELD | SENT, ['begin a0', 'again a1']],
    ['a PUT', 'PUT', {}, HELD | SENT, ['begin a0', 'again a1']],
    ['a PUT of which too little is held', 'PUT', {}, SENT, ['begin a0', 'answer 502']],
    ['a method that nobody knows', '', {}, HELD | SENT, ['begin a0', 'answer 502']],
  ])('of %s is followed by what is safe', (_name, method, fields, facts, calls) => {
    const { begin, fail } = pipelineOf();
    const exchange = begin(method, fields);
    fail(exchange, 'SLUICE_ENDPOINT_RESET', facts);
    expect(exchange.calls).toEqual(calls);
  });

  it('is not tried again where its route says so, nor for what its route does not name', () => {
    const once = pipelineOf({ route: { retry: { attempts: 1 } } });
    const first = once.begin();
    once.fail(first, 'SLUICE_CONNECT_REFUSED', HELD);
    const onlyConnects = pipelineOf({ route: { retry: { on: ['connect'] } } });
    const second = onlyConnects.begin();
    onlyConnects.fail(second, 'SLUICE_FIRST_BYTE_TIMEOUT');
    expect([first.calls, second.calls]).toEqual([
      ['begin a0', 'answer 502'],
      ['begin a0', 'answer 504'],
    ]);
  });

  it('is answered with its own code when attempts or endpoints are used up', () => {
    const { begin, fail, counted } = pipelineOf({ endpoints: 2, upstream: retry({ attempts: 5 }) });
    const exchange = begin();
    fail(exchange, 'SLUICE_ENDPOINT_RESET');
    fail(exchange, 'SLUICE_FIRST_BYTE_TIMEOUT');
    expect(exchange.calls).toEqual(['begin a0', 'again a1', 'answer 504']);
    expect(counted()).toEqual({ SLUICE_FIRST_BYTE_TIMEOUT: 1 });
  });

  it('waits before the next one as jitter says, and within the deadline over all attempts', async () => {
    const { begin, fail, time, serve, leftovers } = pipelineOf({
      upstream: retry({ attempts: 3, backoff: { baseMs: 200, mostMs: 1_000 } }),
      route: { exchangeTimeoutMs: 2_000 },
    });
    const exchange = begin();
    fail(exchange, 'SLUICE_ENDPOINT_RESET');
    expect([exchange.calls, exchange.state]).toEqual([['begin a0', 'put off'], 'waiting']);
    await time.pass(200);
    expect([exchange.calls.at(-1), exchange.state]).toEqual(['again a1', 'attempting']);
    expect(exchange.timeLeftMs).toBeGreaterThanOrEqual(1_800);
    expect(exchange.timeLeftMs).toBeLessThan(2_000);
    serve(exchange);
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('does not wait past the deadline', async () => {
    const { begin, fail, time } = pipelineOf({
      upstream: retry({ backoff: { baseMs: 50_000, mostMs: 50_000 } }),
      route: { exchangeTimeoutMs: 1_000 },
    });
    const exchange = begin();
    await time.pass(999);
    fail(exchange, 'SLUICE_ENDPOINT_RESET');
    expect(exchange.calls).toEqual(['begin a0', 'answer 502']);
  });

  it('is forgotten when its client leaves during the pause', async () => {
    const { begin, fail, time, pipeline, leftovers, counted } = pipelineOf({
      upstream: retry({ backoff: { baseMs: 500, mostMs: 500 } }),
    });
    const exchange = begin();
    fail(exchange, 'SLUICE_ENDPOINT_RESET');
    pipeline.finished(exchange, 'SLUICE_CLIENT_GONE');
    await time.pass(1_000);
    expect(exchange.calls).toEqual(['begin a0', 'put off']);
    expect([leftovers(), counted(), time.pending]).toEqual([NOTHING_LEFT, { SLUICE_CLIENT_GONE: 1 }, 0]);
  });

  it('breaks the response off where its head has gone', () => {
    const { begin, fail, pipeline } = pipelineOf();
    const exchange = begin();
    pipeline.headCame(exchange, 200, 5);
    fail(exchange, 'SLUICE_RESPONSE_TRUNCATED', SENT | ANSWERED);
    expect(exchange.calls).toEqual(['begin a0', 'break off']);
  });

  it('tells each attempt where the listener explains', () => {
    const { begin, fail } = pipelineOf({ explains: true });
    const exchange = begin();
    fail(exchange, 'SLUICE_CONNECT_REFUSED', HELD);
    const told = exchange.calls.filter((call) => call.startsWith('field X-Sluice-Explain')).at(-1);
    expect(told).toMatch(/attempt=1.*attempt=2/);
  });
});

describe('the retry budget', () => {
  const budget = { share: 0, perSecond: 0.1 };

  it('lets no more through than it has, tells of it once, and gives back what was taken for nothing', () => {
    const { begin, fail, serve, spent, board } = pipelineOf({ upstream: retry({ attempts: 3, budget }) });
    const exchange = begin();
    fail(exchange, 'SLUICE_ENDPOINT_RESET');
    fail(exchange, 'SLUICE_ENDPOINT_RESET');
    expect(exchange.calls).toEqual(['begin a0', 'again a1', 'answer 502']);
    for (let more = 0; more < 2; more++) fail(begin(), 'SLUICE_ENDPOINT_RESET');
    expect([spent, board.totals().traffic.retriesRefused]).toEqual([['api 1'], 3]);
    serve(begin());
  });

  it('is not used up by what finds no endpoint', () => {
    const { begin, fail, worker } = pipelineOf({ cap: 1, endpoints: 2, upstream: retry({ budget }) });
    const first = begin();
    begin();
    fail(first, 'SLUICE_ENDPOINT_RESET');
    expect(first.calls).toEqual(['begin a0', 'answer 502']);
    expect(worker.retryBudgets.allows(0, budget, 5_000)).toBe(true);
  });
});

describe('an answer with a status that is tried again', () => {
  const asking = { attempts: 2, statuses: [503] };

  it('is dropped for another one elsewhere', () => {
    const { begin, ask, serve, failures, leftovers, opened } = pipelineOf({ upstream: retry(asking) });
    const exchange = begin();
    expect(opened.get(exchange.profiles[0]!)).toMatchObject({ askedStatuses: [503], heldBodyBytes: 65_536 });
    ask(exchange, 503);
    expect(exchange.calls).toEqual(['begin a0', 'again a1']);
    serve(exchange);
    expect([failures(), leftovers()]).toEqual([[1, 0, 0], NOTHING_LEFT]);
  });

  it('is passed on when no attempt is left, and its endpoint settled once', () => {
    const { begin, ask, serve, failures, counted, leftovers } = pipelineOf({ upstream: retry(asking) });
    const exchange = begin();
    ask(exchange, 503);
    ask(exchange, 503);
    expect(exchange.calls).toEqual(['begin a0', 'again a1', 'pass on']);
    serve(exchange, 503);
    expect([failures(), counted(), leftovers()]).toEqual([[1, 1, 0], {}, NOTHING_LEFT]);
  });

  it('is passed on after a pause when its retry cannot be made then', async () => {
    const { begin, ask, time, pipeline, serve, failures, leftovers } = pipelineOf({
      endpoints: 2,
      cap: 1,
      upstream: retry({ ...asking, backoff: { baseMs: 100, mostMs: 100 } }),
    });
    const exchange = begin();
    ask(exchange, 503);
    expect(exchange.state).toBe('waiting');
    const other = begin();
    pipeline.readClock();
    await time.pass(100);
    expect([exchange.calls, exchange.state]).toEqual([['begin a0', 'put off', 'pass on'], 'attempting']);
    serve(exchange, 503);
    serve(other);
    expect([failures(), leftovers()]).toEqual([[1, 0], NOTHING_LEFT]);
  });

  it('is passed on for a POST, whose endpoint may have carried it out', () => {
    const { begin, opened, ask } = pipelineOf({ upstream: retry(asking) });
    const exchange = begin('POST');
    expect(opened.get(exchange.profiles[0]!)).toMatchObject({ askedStatuses: [], heldBodyBytes: -1 });
    ask(exchange, 503);
    expect(exchange.calls).toEqual(['begin a0', 'pass on']);
  });

  it.each([
    [500, false],
    [503, true],
    [429, true],
  ])('with %i and Retry-After keeps others from its endpoint: %s', (status, isKept) => {
    const { begin, ask, serve, slotOf, worker, leftovers } = pipelineOf({
      upstream: retry({ ...asking, statuses: [429, 500, 503] }),
    });
    const exchange = begin();
    ask(exchange, status, '30');
    serve(exchange);
    expect(worker.load.pausedUntil(slotOf('a0')) !== NEVER).toBe(isKept);
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('of the only endpoint waits for its Retry-After, and is asked again then', async () => {
    const { begin, ask, time, serve, leftovers } = pipelineOf({ endpoints: 1, upstream: retry(asking) });
    const exchange = begin();
    ask(exchange, 503, '1');
    expect(exchange.calls).toEqual(['begin a0', 'put off']);
    await time.pass(990);
    expect(exchange.calls).toHaveLength(2);
    await time.pass(20);
    expect(exchange.calls).toEqual(['begin a0', 'put off', 'again a0']);
    serve(exchange);
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it.each([
    ['longer than it is waited for', '2', 0],
    ['past the deadline', '1', 900],
    ['absent', '', 0],
  ])('of the only endpoint is passed on when Retry-After is %s', (_name, retryAfter, exchangeTimeoutMs) => {
    const { begin, ask } = pipelineOf({ endpoints: 1, upstream: retry(asking), route: { exchangeTimeoutMs } });
    const exchange = begin();
    ask(exchange, 503, retryAfter);
    expect(exchange.calls.at(-1)).toBe('pass on');
  });
});

describe('an endpoint that was drained, and whose time is over', () => {
  it('is left for another one where the request may be carried out twice, without blame', () => {
    const { begin, pipeline, serve, failures, leftovers, slotOf } = pipelineOf();
    const exchange = begin();
    pipeline.cut(exchange, slotOf('a0'));
    expect(exchange.calls).toEqual(['begin a0', 'hedge a1']);
    serve(exchange, 200, true);
    expect([failures(), leftovers()]).toEqual([[0, 0, 0], NOTHING_LEFT]);
  });

  it('answers a POST with its own code, and breaks off what has begun', () => {
    const { begin, pipeline, counted, failures, leftovers, slotOf } = pipelineOf();
    const posted = begin('POST');
    pipeline.cut(posted, slotOf('a0'));
    const answered = begin();
    pipeline.headCame(answered, 200, 5);
    pipeline.cut(answered, slotOf('a1'));
    expect([posted.calls.at(-1), answered.calls.at(-1)]).toEqual(['answer 503', 'break off']);
    expect([counted(), failures(), leftovers()]).toEqual([{ SLUICE_ENDPOINT_DRAINED: 2 }, [0, 0, 0], NOTHING_LEFT]);
  });
});
