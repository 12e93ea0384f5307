/** What is recorded of requests: at their endpoints, routes, listeners and upstreams, and whoever is told of their end. */
import { describe, expect, it } from 'vitest';
import type { Ending, Exchange } from '../../../src/l7/exchange.js';
import { recordedExchange } from './recorded-exchange.js';
import { pipelineOf, retry, SENT } from './scripted-exchange.js';

const QUEUED = {
  queue: { firstEntry: 0, length: 8, record: 0 },
  timeouts: { connectMs: 1_000, firstByteMs: 60_000, idleMs: 60_000, attemptMs: 0, queueMs: 5_000 },
  ...retry({ attempts: 1 }),
};

describe('the figures of requests', () => {
  it('are those of the route, the listener, the upstream and the endpoint that answered', () => {
    const { begin, serve, board, slotOf } = pipelineOf();
    serve(begin());
    serve(begin(), 404);
    const { figures } = board;
    for (const kind of ['route', 'listener', 'upstream'] as const)
      expect(figures.flow(kind, 0)).toMatchObject({ exchanges: 2, responses2xx: 1, responses4xx: 1, failures: 0 });
    expect(figures.endpoint(slotOf('a0'))).toMatchObject({ responses2xx: 1, connects: 1 });
    expect(figures.endpoint(slotOf('a1'))).toMatchObject({ responses4xx: 1 });
    for (const latency of ['firstByte', 'total'] as const) expect(figures.count('route', 0, latency)).toBe(2);
    for (const latency of ['firstByte', 'total', 'connect'] as const)
      expect(figures.count('endpoint', slotOf('a0'), latency)).toBe(1);
  });

  it('count a retry where it was, and the failure where it came from', () => {
    const { begin, serve, fail, board, slotOf } = pipelineOf({ upstream: retry({ attempts: 3 }) });
    const exchange = begin();
    fail(exchange, 'SLUICE_CONNECT_REFUSED');
    serve(exchange);
    const { figures } = board;
    expect(figures.errors('endpoint', slotOf('a0'))).toEqual({ SLUICE_CONNECT_REFUSED: 1 });
    expect(figures.endpoint(slotOf('a1')).responses2xx).toBe(1);
    expect(figures.flow('route', 0)).toMatchObject({ exchanges: 1, retries: 1, failures: 0 });
    expect(figures.errors('route', 0)).toEqual({});
  });

  it('have the code of what nobody could serve, which is no answer of an endpoint', () => {
    const { begin, fail, board, slotOf } = pipelineOf({ endpoints: 1 });
    fail(begin('POST'), 'SLUICE_ENDPOINT_RESET', SENT);
    const { figures } = board;
    for (const kind of ['route', 'listener', 'upstream', 'endpoint'] as const)
      expect(figures.errors(kind, kind === 'endpoint' ? slotOf('a0') : 0)).toEqual({ SLUICE_ENDPOINT_RESET: 1 });
    expect(figures.flow('route', 0)).toMatchObject({ exchanges: 1, failures: 1, responses5xx: 1, responses2xx: 0 });
    expect([figures.count('route', 0, 'firstByte'), figures.count('route', 0, 'total')]).toEqual([0, 1]);
  });

  it('count an answer that was tried again at its endpoint, and the one that was passed on at its own', () => {
    const { begin, ask, serve, board, slotOf } = pipelineOf({
      upstream: retry({ attempts: 2, statuses: [503] }),
    });
    const exchange = begin();
    ask(exchange, 503);
    serve(exchange);
    const { figures } = board;
    expect(figures.endpoint(slotOf('a0'))).toMatchObject({ responses5xx: 1, bytesToClients: 0 });
    expect(figures.endpoint(slotOf('a1'))).toMatchObject({ responses2xx: 1 });
    expect(figures.flow('route', 0)).toMatchObject({ responses2xx: 1, responses5xx: 0, retries: 1 });
  });

  it('say that a request was hedged, and whose answer it got', async () => {
    const { begin, time, serve, board, slotOf } = pipelineOf({
      upstream: { hedge: { kind: 'delay', afterMs: 50 } as const },
    });
    const exchange = begin();
    await time.pass(50);
    serve(exchange, 200, true);
    const { figures } = board;
    expect(figures.flow('route', 0)).toMatchObject({ hedges: 1, retries: 1 });
    expect([slotOf('a0'), slotOf('a1')].map((slot) => figures.endpoint(slot).responses2xx)).toEqual([0, 1]);
  });

  it('have the time that a request waited in the queue', async () => {
    const { begin, time, serve, board, slotOf } = pipelineOf({ endpoints: 1, cap: 1, upstream: QUEUED });
    const first = begin();
    const second = begin();
    expect(second.state).toBe('waiting');
    await time.pass(300);
    serve(first);
    await time.pass(10);
    serve(second);
    const { figures } = board;
    expect(figures.flow('route', 0).queueWaits).toBe(1);
    expect(figures.endpoint(slotOf('a0')).queueWaits).toBe(1);
    for (const kind of ['route', 'listener', 'upstream'] as const) expect(figures.count(kind, 0, 'queue')).toBe(1);
  });

  it('have the time of those as well that waited in vain', async () => {
    const { begin, time, board } = pipelineOf({ endpoints: 1, cap: 1, upstream: QUEUED });
    begin();
    begin();
    await time.pass(5_100);
    expect(board.figures.count('upstream', 0, 'queue')).toBe(1);
    expect(board.figures.errors('upstream', 0)).toEqual({ SLUICE_QUEUE_TIMEOUT: 1 });
  });
});

describe('observers of exchanges', () => {
  it('are told of each end in their order, with the facts, and no more when they are taken away', () => {
    const { recorder, exchange } = recordedExchange();
    const told: [string, Ending, number][] = [];
    const observer = (name: string) => ({
      ended: (of: Exchange, ending: Ending) => void told.push([name, ending, of.totalUs]),
    });
    recorder.observe([observer('log'), observer('trace')]);
    exchange.totalUs = 70;
    recorder.begin(exchange);
    recorder.end(exchange, 'DELIVERED');
    recorder.observe([]);
    recorder.begin(exchange);
    recorder.end(exchange, 'DELIVERED');
    expect(told).toEqual([
      ['log', 'DELIVERED', 70],
      ['trace', 'DELIVERED', 70],
    ]);
  });
});
