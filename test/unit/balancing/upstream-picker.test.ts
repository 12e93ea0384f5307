/** What all balancers do alike: only eligible endpoints, backups last, claims within the caps. */
import { describe, expect, it } from 'vitest';
import type { BalancerName } from '../../../src/config/picking-plan.js';
import { type UpstreamUnderTest, upstreamOf } from './upstream-under-test.js';

const balancers: BalancerName[] = ['round-robin', 'least-conn', 'least-time'];
const manyEqual = (count: number) => Array.from({ length: count }, () => ({}));

describe.each(balancers)('%s', (balance) => {
  it.each([
    ['disabled', ({ board, plan }: UpstreamUnderTest) => board.control.setEnabled(plan.endpoints[1]!.slot, false)],
    ['unhealthy', ({ board, plan }: UpstreamUnderTest) => board.control.setHealthy(plan.endpoints[1]!.slot, false)],
    ['draining', ({ board, plan }: UpstreamUnderTest) => board.control.setDraining(plan.endpoints[1]!.slot, true)],
    ['unresolved', ({ board, plan }: UpstreamUnderTest) => board.control.setResolved(plan.endpoints[1]!.slot, false)],
    ['without weight', ({ board, plan }: UpstreamUnderTest) => board.control.setWeight(plan.endpoints[1]!.slot, 0)],
    ['gone from its slot', ({ board, plan }: UpstreamUnderTest) => board.release(plan.endpoints[1]!.slot)],
  ])('passes over an endpoint that is %s', (_state, spoil) => {
    const upstream = upstreamOf(balance, manyEqual(3));
    expect(upstream.picks(9)).toContain('b');
    spoil(upstream);
    expect(upstream.picks(9)).not.toContain('b');
  });

  it('picks an endpoint again once it is healthy again', () => {
    const upstream = upstreamOf(balance, manyEqual(2));
    const { slot } = upstream.plan.endpoints[0]!;
    upstream.board.control.setHealthy(slot, false);
    expect(upstream.picks(4)).toBe('bbbb');
    upstream.board.control.setHealthy(slot, true);
    expect(upstream.picks(8)).toContain('a');
  });

  it.each([3, 20])('passes over tried endpoints (%i endpoints)', (count) => {
    const upstream = upstreamOf(balance, manyEqual(count));
    const tried: number[] = [];
    for (let attempt = 0; attempt < count; attempt++) tried.push(upstream.pick(tried));
    expect(new Set(tried).size).toBe(count);
    expect(upstream.pick(tried)).toBe(-1);
  });

  it.each([3, 20])('fills every endpoint to its cap and then picks none (%i endpoints)', (count) => {
    const upstream = upstreamOf(
      balance,
      Array.from({ length: count }, (_, index) => ({ cap: (index % 3) + 1 })),
    );
    const caps = upstream.plan.endpoints.map(({ maxConns }) => maxConns);
    const room = caps.reduce((sum, cap) => sum + cap, 0);
    expect(upstream.picks(room)).not.toContain('-');
    expect(upstream.plan.endpoints.map(({ slot }) => upstream.board.load.inflight(slot))).toEqual(caps);
    expect(upstream.pick()).toBe(-1);
  });

  it('takes backups only while no primary is eligible', () => {
    const upstream = upstreamOf(balance, [{ cap: 2 }, { isBackup: true }]);
    expect(upstream.picks(4)).toBe('aabb');
    const { slot, generation } = upstream.plan.endpoints[0]!;
    upstream.worker.claims.end(slot, generation);
    expect(upstream.pick()).toBe(0);
    upstream.worker.claims.end(slot, generation);
    expect(upstream.pick([0])).toBe(1);
  });

  it('picks none of an upstream whose endpoints have no address yet', () => {
    expect(upstreamOf(balance, [{ isResolved: false }]).picks(2)).toBe('--');
  });

  it('claims what it picks', () => {
    const upstream = upstreamOf(balance, manyEqual(1));
    expect(upstream.picks(3)).toBe('aaa');
    expect(upstream.board.load.inflight(upstream.plan.endpoints[0]!.slot)).toBe(3);
  });

  it('honours a weight that is changed at run time', () => {
    const upstream = upstreamOf(balance, manyEqual(2));
    upstream.board.control.setWeight(upstream.plan.endpoints[0]!.slot, 3);
    const picks = upstream.picks(400);
    expect(picks.replaceAll('b', '').length).toBe(300);
  });

  it('refuses a claim on a slot that another endpoint has got meanwhile', () => {
    const upstream = upstreamOf(balance, manyEqual(2));
    upstream.picks(1);
    // The load word changes before the control epoch does: what a worker meets in between.
    upstream.board.load.begin(upstream.plan.endpoints[0]!.slot, 2000);
    expect(upstream.picks(6)).toBe('bbbbbb');
  });
});
