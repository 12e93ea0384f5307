/** random-two takes the less loaded of two different endpoints. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { upstreamOf } from './upstream-under-test.js';

describe('random-two', () => {
  it('compares both endpoints of a group of two', () => {
    const upstream = upstreamOf('random-two', [{}, {}]);
    upstream.load(0, 40);
    expect(upstream.picks(40)).toBe('b'.repeat(40));
  });

  it('weighs what is in flight', () => {
    const upstream = upstreamOf('random-two', [{ weight: 4 }, { weight: 1 }]);
    upstream.load(0, 7);
    upstream.load(1, 2);
    expect(upstream.pick()).toBe(0); // 7/4 < 2/1
    expect(upstream.pick()).not.toBe(-1); // 8/4 = 2/1: either
  });

  it('takes equals by weight', () => {
    const upstream = upstreamOf('random-two', [{ weight: 3 }, { weight: 1 }]);
    let first = 0;
    for (let pick = 0; pick < 4_000; pick++) {
      const endpoint = upstream.pick();
      if (endpoint === 0) first += 1;
      const { slot, generation } = upstream.plan.endpoints[endpoint]!;
      upstream.worker.claims.end(slot, generation);
    }
    expect(Math.abs(first / 4_000 - 0.75)).toBeLessThan(0.03);
  });

  it('never picks the one with strictly the most in flight while another is eligible (naive reference: a sort)', () => {
    const endpoint = fc.record({
      weight: fc.constant(2),
      inflight: fc.integer({ min: 0, max: 9 }),
      cap: fc.constantFrom(0, 0, 5),
      isTried: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(endpoint, { minLength: 1, maxLength: 20 }), (endpoints) => {
        const upstream = upstreamOf('random-two', endpoints);
        endpoints.forEach(({ inflight }, index) => {
          upstream.load(index, inflight);
        });
        const eligible = endpoints
          .map((facts, index) => ({ ...facts, index }))
          .filter(({ isTried, cap, inflight }) => !isTried && (cap === 0 || inflight < cap))
          .sort((a, b) => b.inflight - a.inflight);
        const picked = upstream.pick(endpoints.flatMap(({ isTried }, index) => (isTried ? [index] : [])));
        if (eligible.length === 0) expect(picked).toBe(-1);
        else expect(eligible.map(({ index }) => index)).toContain(picked);
        const [most, second] = eligible;
        // Alone among tried and full ones it may be drawn with one of those, and is right then.
        const isWhole = eligible.length === endpoints.length && second !== undefined;
        if (isWhole && most!.inflight > second.inflight) expect(picked).not.toBe(most!.index);
      }),
      { numRuns: 200 },
    );
  });
});
