/** What the settings of routes and upstreams make together, and which of it the engine gets to know. */
import { describe, expect, it } from 'vitest';
import type { UpstreamRuntime } from '../../../src/balancing/upstream-runtime.js';
import type { RoutePlan, UpstreamPlan } from '../../../src/config/plan.js';
import { NO_FALLBACK } from '../../../src/config/resilience-plan.js';
import type { AttemptProfile } from '../../../src/engine/attempt-profile.js';
import { AttemptProfiles } from '../../../src/l7/attempt-profiles.js';
import { listenerPlan, PLAIN_RESILIENCE, upstreamPlan, WHOLE_UPSTREAM } from '../control/plans.js';

const route = (parts: Partial<RoutePlan> = {}): RoutePlan => ({
  host: '*',
  path: '/',
  upstream: 0,
  ...WHOLE_UPSTREAM,
  exchangeTimeoutMs: 0,
  ...parts,
});

function profilesOf(routes: readonly RoutePlan[], upstreams: readonly Partial<UpstreamPlan>[] = [{}]) {
  const opened: [number, AttemptProfile][] = [];
  const profiles = new AttemptProfiles({
    open: (number, profile) => void opened.push([number, profile]),
    breakerOf: () => null,
  });
  const served = upstreams.map((parts, index) => {
    const plan = { ...upstreamPlan([]), index, ...parts };
    return { runtime: { plan } as UpstreamRuntime, affinity: null, room: null };
  });
  profiles.apply([{ ...listenerPlan('web', '127.0.0.1', 80), routes }], served, new Set());
  return { opened, on: (index: number, upstream = 0) => profiles.of(routes[index] as RoutePlan).on(upstream) };
}

describe('attempt profiles', () => {
  it('are one where settings are equal, whatever their route, and never that of plain attempts', () => {
    const { opened, on } = profilesOf([route(), route({ path: '/a' }), route({ timeouts: { firstByteMs: 5 } })]);
    expect(on(0).profile).toBe(on(1).profile);
    expect(new Set([on(0).profile, on(0).profileOnce, on(2).profile, on(2).profileOnce]).size).toBe(4);
    expect(opened.map(([number]) => number)).toEqual([1, 2, 3, 4]);
  });

  it('hold requests and ask about statuses only where those may be sent again', () => {
    const retry = { ...PLAIN_RESILIENCE.retry, statuses: [502, 503], bodyBytes: 10 };
    const { opened, on } = profilesOf([route(), route({ retry: { attempts: 1 } })], [{ retry }]);
    const settings = new Map(opened);
    expect(settings.get(on(0).profile)).toMatchObject({ heldBodyBytes: 10, askedStatuses: [502, 503] });
    expect(settings.get(on(0).profileOnce)).toMatchObject({ heldBodyBytes: -1, askedStatuses: [] });
    expect(settings.get(on(1).profile)).toMatchObject({ heldBodyBytes: -1, askedStatuses: [] });
  });

  it.each([
    ['a hedge', { hedge: { kind: 'delay', afterMs: 5 } } as const],
    ['another upstream to fall back to', { fallback: { upstream: 0, response: null } }],
  ])('hold requests for %s, too', (_name, parts) => {
    const { opened, on } = profilesOf([route({ retry: { attempts: 1 }, ...parts })]);
    expect(new Map(opened).get(on(0).profile)).toMatchObject({ heldBodyBytes: 65_536 });
  });

  it('hold nothing for connections that do not come about, nor for a fixed response', () => {
    const fallback = { upstream: NO_FALLBACK, response: { status: 200, headers: {}, body: '' } };
    const { opened, on } = profilesOf([route({ retry: { on: ['connect'] }, fallback })]);
    expect(new Map(opened).get(on(0).profile)).toMatchObject({ heldBodyBytes: -1 });
  });

  it('leave times to the pools but where the route has its own, or an attempt has one', () => {
    const { opened, on } = profilesOf(
      [route({ timeouts: { connectMs: 7, queueMs: 9 } }), route()],
      [{ timeouts: { ...PLAIN_RESILIENCE.timeouts, attemptMs: 300 } }],
    );
    expect(new Map(opened).get(on(0).profile)).toMatchObject({
      connectTimeoutMs: 7,
      firstByteTimeoutMs: 0,
      idleTimeoutMs: 0,
      attemptTimeoutMs: 300,
    });
    expect([on(0).queueMs, on(1).queueMs]).toEqual([9, 1000]);
  });

  it('are there for each target of a split and for a fallback, with the settings of that upstream', () => {
    const retry = { ...PLAIN_RESILIENCE.retry, attempts: 7 };
    const split = {
      key: { kind: 'path' } as const,
      targets: [
        { upstream: 0, subset: -1, weight: 1 },
        { upstream: 1, subset: -1, weight: 1 },
      ],
    };
    const { on } = profilesOf([route({ split, fallback: { upstream: 2, response: null } })], [{}, { retry }, {}]);
    expect([on(0, 0), on(0, 1), on(0, 2)].map((settings) => settings.retry.attempts)).toEqual([2, 7, 2]);
  });

  it('share what is learnt about the latency of an upstream', () => {
    const hedge = { kind: 'quantile', quantile: 0.9, leastMs: 1 } as const;
    const { on } = profilesOf([route(), route({ path: '/a' }), route({ path: '/b', hedge: null })], [{ hedge }]);
    expect([on(0).hedge === on(1).hedge, on(0).hedge === null, on(2).hedge]).toEqual([true, false, null]);
  });
});
