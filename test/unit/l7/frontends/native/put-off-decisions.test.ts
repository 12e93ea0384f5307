/** Responses that are asked about, decisions that come later, and second attempts, as the native front end tells of them. */
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../../../src/engine/engine.js';
import { ClientEnd, Decision, FrontEndEventType, FrontEndFlag } from '../../../../../src/engine/front-end-event.js';
import { PLAIN_RESILIENCE } from '../../../control/plans.js';
import {
  attemptFailed,
  exchange,
  finished,
  frontEndOf,
  NOTHING_LEFT,
  request,
  responseAsked,
  served,
} from './scripted-front-end.js';

const { RETRYABLE, SENT, ANSWERED, ONGOING, HEDGE } = FrontEndFlag;

/** Two endpoints; 503 is tried again, after a pause of up to `pauseMs`. */
const retrying = (pauseMs = 0) =>
  frontEndOf(2, {
    upstream: {
      retry: {
        ...PLAIN_RESILIENCE.retry,
        attempts: 2,
        statuses: [503],
        backoff: { baseMs: pauseMs, mostMs: pauseMs },
        budget: null,
      },
    },
  });

describe('a response that is asked about', () => {
  it('is dropped for an attempt on another endpoint, with the profile of the route', () => {
    const { batch, at, slots, native, leftovers } = retrying();
    const [first] = batch(request(0));
    expect(at(0, 'profile')).toBeGreaterThan(0);
    const [second] = batch(responseAsked(0, 503));
    expect([first, second].sort()).toEqual([...slots].sort());
    expect(at(0, 'profile')).toBeGreaterThan(0);
    batch(served(0));
    expect([native.calls, leftovers()]).toEqual([[], NOTHING_LEFT]);
  });

  it('is passed on when no attempt is left', () => {
    const { batch, leftovers } = retrying();
    batch(request(0));
    batch(responseAsked(0, 503));
    expect(batch(responseAsked(0, 503))).toEqual([Decision.PASS]);
    batch(served(0, 503));
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('is put off for a pause, and decided by a call of its own when that is over', async () => {
    const { batch, native, time, leftovers } = retrying(100);
    batch(request(0));
    expect(batch(responseAsked(0, 503))).toEqual([Decision.LATER]);
    expect(native.calls).toEqual([]);
    await time.pass(101);
    expect(native.calls).toEqual([expect.stringMatching(/^decide 0 \d+ 0 ms, profile [1-9]/)]);
    batch(served(0));
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('leaves nothing behind when its client leaves in the pause', async () => {
    const { batch, native, time, leftovers } = retrying(100);
    batch(request(0));
    batch(responseAsked(0, 503));
    batch(finished(0, ClientEnd.GONE));
    await time.pass(200);
    expect([native.calls, leftovers()]).toEqual([[], NOTHING_LEFT]);
  });

  it('decides nothing where its exchange is over in the same batch', () => {
    const { batch, leftovers } = retrying();
    batch(request(0));
    expect(batch(responseAsked(0, 503), finished(0, ClientEnd.GONE))[0]).toBe(Decision.SETTLED);
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it('whose time is over while it is put off is answered', () => {
    const { batch, native, leftovers } = retrying(100);
    batch(request(0));
    batch(responseAsked(0, 503));
    batch(attemptFailed(0, EngineError.EXCHANGE_TIMEOUT, SENT | ANSWERED));
    expect(native.calls).toEqual(['answer 0 504']);
    batch(finished(0, ClientEnd.DELIVERED, 504));
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });
});

describe('a second attempt', () => {
  const hedging = () =>
    frontEndOf(2, {
      upstream: { hedge: { kind: 'delay', afterMs: 50 }, retry: { ...PLAIN_RESILIENCE.retry, budget: null } },
    });

  it('is begun by a call when the first one is late, and both endpoints count it', async () => {
    const { batch, native, time, inflight } = hedging();
    batch(request(0));
    await time.pass(51);
    expect(native.calls).toEqual([expect.stringMatching(/^hedge 0 \d+ 0 ms, profile [1-9]/)]);
    expect(inflight()).toEqual([1, 1]);
  });

  it.each([0, FrontEndFlag.HEDGE_WON])('gives the loser’s place back when a head has come (flags %i)', async (won) => {
    const { batch, time, inflight, leftovers } = hedging();
    batch(request(0));
    await time.pass(51);
    batch({ type: FrontEndEventType.PROGRESS, number: exchange(0), flags: FrontEndFlag.FIRST_BYTE | won, status: 200 });
    expect(inflight().sort()).toEqual([0, 1]);
    batch({
      type: FrontEndEventType.PROGRESS,
      number: exchange(0),
      flags: FrontEndFlag.ENDPOINT_DONE | FrontEndFlag.FINISHED,
      status: 200,
    });
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });

  it.each([0, HEDGE])('wants no decision when one of two fails (flags %i), and the other one serves', async (which) => {
    const { batch, native, time, inflight, leftovers } = hedging();
    batch(request(0));
    await time.pass(51);
    const calls = native.calls.length;
    batch(attemptFailed(0, EngineError.RESET, RETRYABLE | SENT | ONGOING | which));
    expect([native.calls.length, inflight().sort()]).toEqual([calls, [0, 1]]);
    const won = which === 0 ? FrontEndFlag.HEDGE_WON : 0;
    const { FIRST_BYTE, ENDPOINT_DONE, FINISHED } = FrontEndFlag;
    const flags = FIRST_BYTE | ENDPOINT_DONE | FINISHED | won;
    batch({ type: FrontEndEventType.PROGRESS, number: exchange(0), flags, status: 200 });
    expect(leftovers()).toEqual(NOTHING_LEFT);
  });
});
