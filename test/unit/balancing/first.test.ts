/** first fills one endpoint after the other. */
import { describe, expect, it } from 'vitest';
import { upstreamOf } from './upstream-under-test.js';

describe('first', () => {
  it('fills the first endpoint to its cap, then the next, and none when all are full', () => {
    expect(upstreamOf('first', [{ cap: 2 }, { cap: 3 }, { cap: 1 }]).picks(8)).toBe('aabbbc--');
  });

  it('comes back to an earlier endpoint as soon as it has a place', () => {
    const upstream = upstreamOf('first', [{ cap: 2 }, { cap: 3 }]);
    upstream.picks(4);
    const { slot, generation } = upstream.plan.endpoints[0]!;
    upstream.worker.claims.end(slot, generation);
    expect(upstream.picks(2)).toBe('ab');
  });

  it('sends everything to the first endpoint where it has no cap, whatever the weights', () => {
    expect(upstreamOf('first', [{}, { weight: 9 }]).picks(50)).toBe('a'.repeat(50));
  });

  it('passes over an endpoint that was tried, and takes a backup last', () => {
    const upstream = upstreamOf('first', [{ cap: 1, isBackup: true }, { cap: 1 }, { cap: 1 }]);
    expect(upstream.pick([1])).toBe(2);
    expect(upstream.picks(3)).toBe('ba-');
  });
});
