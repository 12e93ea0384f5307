/** Requests in the queue, and endpoints that are out: whoever returns by trial, or not at all. */
import { describe, expect, it } from 'vitest';
import { BREAKER, OUTLIER } from '../policies/watched-upstream.js';
import { NOTHING_LEFT, pipelineOf, retry, SENT } from './scripted-exchange.js';

const queued = (queueMs: number) => ({
  queue: { firstEntry: 0, length: 8, record: 0 },
  timeouts: { connectMs: 1_000, firstByteMs: 60_000, idleMs: 60_000, attemptMs: 0, queueMs },
  ...retry({ attempts: 1 }),
});

describe('a request in the queue', () => {
  it('is the trial of an endpoint that returns, although others go on being full', async () => {
    const { begin, time, fail, serve, leftovers } = pipelineOf({
      endpoints: 2,
      cap: 1,
      upstream: { ...queued(60_000), outlier: { ...OUTLIER, gatewayFailuresInRow: 1, ejectionMs: 500 } },
    });
    const sick = begin();
    const long = begin();
    expect([sick.calls, long.calls]).toEqual([['begin a0'], ['begin a1']]);
    fail(sick, 'SLUICE_ENDPOINT_RESET', SENT);
    const first = begin();
    const second = begin();
    expect([first.state, second.state]).toEqual(['waiting', 'waiting']);
    await time.pass(700);
    expect([first.calls.at(-1), second.calls]).toEqual(['begin a0', ['put off']]);
    serve(first);
    await time.pass(100);
    expect(second.calls.at(-1)).toBe('begin a0');
    serve(second);
    serve(long);
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('is the probe of a breaker that is half-open, while nobody else may be asked', async () => {
    const { begin, time, fail, serve, leftovers } = pipelineOf({
      endpoints: 1,
      cap: 1,
      upstream: { ...queued(5_000), breaker: { ...BREAKER, failuresInRow: 1, openMs: 1_000 } },
    });
    const sick = begin();
    const waits = begin();
    fail(sick, 'SLUICE_ENDPOINT_RESET', SENT);
    const refused = begin();
    expect(refused.calls).toEqual(['answer 503']);
    await time.pass(1_200);
    expect(waits.calls).toEqual(['put off', 'begin a0']);
    serve(waits);
    serve(begin());
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });
});
