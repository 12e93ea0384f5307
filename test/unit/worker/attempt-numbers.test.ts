/** Exchanges and sessions have numbers of their own in the ledger, and only those that can come. */
import { describe, expect, it } from 'vitest';
import type { ListenerPlan, RoutePlan, UpstreamPlan } from '../../../src/config/plan.js';
import { HEDGE_OFFSET, MAX_EXCHANGES } from '../../../src/engine/engine.js';
import { FIRST_SESSION_NUMBER, MAX_SESSIONS } from '../../../src/engine/session-engine.js';
import { attemptNumbersFor } from '../../../src/worker/attempt-numbers.js';

type Hedge = UpstreamPlan['hedge'];
const HEDGE: Hedge = { kind: 'delay', afterMs: 50 };

/** Listeners of these modes; each route of L7 has this hedge. */
const listenersOf = (modes: ListenerPlan['mode'][], hedge?: Hedge) => {
  const route = { ...(hedge !== undefined && { hedge }) } as RoutePlan;
  return modes.map((mode) => ({ mode, routes: [route] }) as unknown as ListenerPlan);
};
const upstreamsWith = (hedge: Hedge) => [{ hedge } as UpstreamPlan];

describe('attempt numbers', () => {
  const exchanges = { first: 0, count: MAX_EXCHANGES };
  const withHedges = { first: 0, count: HEDGE_OFFSET + MAX_EXCHANGES };
  it.each([
    ['exchanges only', listenersOf(['l7', 'l7']), null, exchanges],
    ['exchanges of an upstream that hedges', listenersOf(['l7']), HEDGE, withHedges],
    ['exchanges of a route that hedges', listenersOf(['l7'], HEDGE), null, withHedges],
    ['exchanges of a route that does not', listenersOf(['l7'], null), null, exchanges],
    ['sessions only', listenersOf(['l4']), HEDGE, { first: FIRST_SESSION_NUMBER, count: MAX_SESSIONS }],
    ['both', listenersOf(['l4', 'l7']), null, { first: 0, count: FIRST_SESSION_NUMBER + MAX_SESSIONS }],
  ])('are those of %s', (_name, listeners, hedge, numbers) => {
    expect(attemptNumbersFor({ listeners, upstreams: upstreamsWith(hedge) })).toEqual(numbers);
  });

  it('of sessions lie behind those of hedges', () => {
    expect(FIRST_SESSION_NUMBER).toBe(HEDGE_OFFSET + MAX_EXCHANGES);
  });
});
