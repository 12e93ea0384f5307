/** Endpoints whose first probe is still to come: no work, and no panic on their account. */
import { describe, expect, it } from 'vitest';
import { type UpstreamUnderTest, upstreamOf } from './upstream-under-test.js';

const PANIC = { panicShare: 0.5 };

function setUnknown({ board, plan }: UpstreamUnderTest, ...endpoints: number[]): void {
  for (const endpoint of endpoints) board.control.setUnknown(plan.endpoints[endpoint]!.slot);
}

function setHealthy({ board, plan }: UpstreamUnderTest, endpoint: number, isHealthy: boolean): void {
  board.control.setHealthy(plan.endpoints[endpoint]!.slot, isHealthy);
}

describe('an endpoint whose first probe is still to come', () => {
  it('gets nothing, not even when it is the only one', () => {
    const upstream = upstreamOf('round-robin', [{}], 2, PANIC);
    setUnknown(upstream, 0);
    expect(upstream.picks(3)).toBe('---');
    setHealthy(upstream, 0, true);
    expect(upstream.picks(1)).toBe('a');
  });

  it('is passed over for one that has passed', () => {
    const upstream = upstreamOf('round-robin', [{}, {}, {}], 2, PANIC);
    setUnknown(upstream, 0, 1, 2);
    setHealthy(upstream, 1, true);
    expect(upstream.picks(3)).toBe('bbb');
  });

  it('keeps its upstream from panic over one that has failed', () => {
    const upstream = upstreamOf('round-robin', [{}, {}], 2, PANIC);
    setUnknown(upstream, 0, 1);
    setHealthy(upstream, 0, false);
    expect(upstream.picks(2)).toBe('--');
    setHealthy(upstream, 1, false);
    expect(upstream.picks(2).split('').sort().join('')).toBe('ab');
  });

  it('leaves its level to the next one', () => {
    const upstream = upstreamOf('round-robin', [{}, { level: 1 }], 2, PANIC);
    setUnknown(upstream, 0);
    expect(upstream.picks(2)).toBe('bb');
    setHealthy(upstream, 0, true);
    expect(upstream.picks(2)).toBe('aa');
  });

  it('leaves everything to the backups', () => {
    const upstream = upstreamOf('round-robin', [{}, { isBackup: true }], 2, PANIC);
    setUnknown(upstream, 0);
    expect(upstream.picks(2)).toBe('bb');
  });
});
