/** An endpoint that takes work again begins anew: with its fair share, and never more. */
import { describe, expect, it } from 'vitest';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import { NO_SAMPLE } from '../../../src/board/endpoint-load.js';
import type { BalancerName } from '../../../src/config/picking-plan.js';
import { NEVER } from '../../../src/core/tick.js';
import { type Behaviour, play, shareOf, type Told, type UpstreamUnderTest, upstreamOf } from './upstream-under-test.js';

const answersAfter =
  (afterMs: number): Behaviour =>
  () => ({ afterMs });

/** Three peers and a fourth endpoint that is slow, goes away, and comes back as `returned` says. */
function recover(balance: BalancerName, returned: Behaviour): { upstream: UpstreamUnderTest; told: Told[] } {
  const upstream = upstreamOf(balance, [{}, {}, {}, {}]);
  const ledger = new EndpointLedger(upstream.worker, 4_000);
  const peers = [20, 20, 20].map(answersAfter);
  const { slot } = upstream.plan.endpoints[3]!;
  const story = { rate: 400, durationMs: 3_000 };
  play(upstream, ledger, { ...story, endpoints: [...peers, answersAfter(900)], start: 1 });
  expect(upstream.board.load.latencyUs(slot)).toBeGreaterThan(100_000);
  upstream.board.control.setHealthy(slot, false);
  play(upstream, ledger, { ...story, endpoints: [...peers, answersAfter(0)], start: 4_001 });
  upstream.board.control.setHealthy(slot, true);
  return { upstream, told: play(upstream, ledger, { ...story, endpoints: [...peers, returned], start: 8_001 }) };
}

describe.each(['least-time', 'peak-ewma'] as const)('endpoint that has recovered, with %s', (balance) => {
  it('gets its fair share at once, as fast as its peers are', () => {
    const { told } = recover(balance, answersAfter(20));
    expect(shareOf(told, 3, 0, 250)).toBeGreaterThan(0.15);
    expect(shareOf(told, 3, 250, 3_000)).toBeGreaterThan(0.2);
  });

  it('gets never more than its fair share', () => {
    const { told } = recover(balance, answersAfter(20));
    for (let fromMs = 0; fromMs < 3_000; fromMs += 250)
      expect(shareOf(told, 3, fromMs, fromMs + 250)).toBeLessThanOrEqual(0.31);
  });

  it('gets no flood while it is cold and slow', () => {
    const { told } = recover(balance, answersAfter(400));
    expect(shareOf(told, 3, 0, 400)).toBeLessThanOrEqual(0.25);
    expect(shareOf(told, 3, 400, 3_000)).toBeLessThan(0.1);
  });
});

describe('what is known of an endpoint', () => {
  const spoiled = (): UpstreamUnderTest & { slot: number } => {
    const upstream = upstreamOf('least-time', [{}]);
    const { slot } = upstream.plan.endpoints[0]!;
    const { load } = upstream.board;
    load.replaceLatency(slot, NO_SAMPLE, 900_000, 5);
    load.replacePeak(slot, NO_SAMPLE, 900_000, 5);
    load.replaceFailureAt(slot, NEVER, 5);
    load.pauseUntil(slot, 30_000, 5);
    return { ...upstream, slot };
  };
  const knownOf = ({ board: { load }, slot }: ReturnType<typeof spoiled>): number[] => [
    load.latencyUs(slot),
    load.latencyAt(slot),
    load.peakUs(slot),
    load.peakAt(slot),
    load.failureAt(slot),
    load.pausedUntil(slot),
  ];

  it.each([
    ['unhealthy', 'setHealthy', false],
    ['disabled', 'setEnabled', false],
    ['draining', 'setDraining', true],
    ['unresolved', 'setResolved', false],
  ] as const)('is forgotten when it is no longer %s', (_state, method, value) => {
    const upstream = spoiled();
    upstream.board.control[method](upstream.slot, value);
    expect(knownOf(upstream)).toEqual([900_000, 5, 900_000, 5, 5, 30_000]);
    upstream.board.control[method](upstream.slot, !value);
    expect(knownOf(upstream)).toEqual([NO_SAMPLE, NEVER, NO_SAMPLE, NEVER, NEVER, NEVER]);
  });

  it('stays while something else still keeps it away, and while it takes work all the time', () => {
    const upstream = spoiled();
    const { control } = upstream.board;
    control.setHealthy(upstream.slot, true);
    expect(knownOf(upstream)[0]).toBe(900_000);
    control.setHealthy(upstream.slot, false);
    control.setEnabled(upstream.slot, false);
    control.setHealthy(upstream.slot, true);
    expect(knownOf(upstream)[0]).toBe(900_000);
    control.setEnabled(upstream.slot, true);
    expect(knownOf(upstream)[0]).toBe(NO_SAMPLE);
  });
});
