/** random draws by weight, and finds a place as long as there is one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_KEY } from '../../../src/balancing/balancer.js';
import { NONE_TRIED } from '../../../src/balancing/tried-set.js';
import { type EndpointUnderTest, letterOf, upstreamOf } from './upstream-under-test.js';

/** How often each endpoint was picked; nothing stays in flight. */
function drawn(endpoints: readonly EndpointUnderTest[], picks: number, tried: readonly number[] = []): number[] {
  const upstream = upstreamOf('random', endpoints);
  const counts = endpoints.map(() => 0);
  for (let pick = 0; pick < picks; pick++) {
    const endpoint = upstream.pick(tried);
    counts[endpoint]! += 1;
    const { slot, generation } = upstream.plan.endpoints[endpoint]!;
    upstream.worker.claims.end(slot, generation);
  }
  return counts;
}

describe('random', () => {
  it('draws by weight', () => {
    const counts = drawn([{ weight: 5 }, { weight: 2 }, { weight: 1 }], 8_000);
    [5_000, 2_000, 1_000].forEach((expected, endpoint) => {
      // Three standard deviations of a binomial.
      const deviation = Math.sqrt(expected * (1 - expected / 8_000));
      expect(Math.abs(counts[endpoint]! - expected)).toBeLessThan(3 * deviation);
    });
  });

  it('draws by weight among the few that are left', () => {
    const endpoints = Array.from({ length: 40 }, (_, index) => ({ weight: index === 39 ? 3 : 1 }));
    const tried = Array.from({ length: 38 }, (_, index) => index);
    const counts = drawn(endpoints, 4_000, tried);
    expect(counts.slice(0, 38).every((count) => count === 0)).toBe(true);
    expect(Math.abs(counts[39]! / 4_000 - 0.75)).toBeLessThan(0.02);
  });

  it('repeats itself with the same seed, and with no other', () => {
    const endpoints = [{}, {}, {}, {}];
    expect(upstreamOf('random', endpoints).picks(40)).toBe(upstreamOf('random', endpoints).picks(40));
    const two = upstreamOf('random', endpoints);
    const other = two.attach(1).picker;
    const ofOther = Array.from({ length: 40 }, () => letterOf(other.pick(NO_KEY, NONE_TRIED, 1)));
    expect(ofOther.join('')).not.toBe(two.picks(40));
  });

  it('picks an eligible one whenever there is one (naive reference: a filter)', () => {
    const endpoint = fc.record({
      weight: fc.integer({ min: 1, max: 100 }),
      cap: fc.constantFrom(0, 1, 2),
      inflight: fc.integer({ min: 0, max: 3 }),
      isTried: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(endpoint, { minLength: 1, maxLength: 30 }), (endpoints) => {
        const upstream = upstreamOf('random', endpoints);
        endpoints.forEach(({ inflight }, index) => {
          upstream.load(index, inflight);
        });
        const eligible = endpoints.flatMap(({ isTried, cap, inflight }, index) =>
          !isTried && (cap === 0 || inflight < cap) ? [index] : [],
        );
        const picked = upstream.pick(endpoints.flatMap(({ isTried }, index) => (isTried ? [index] : [])));
        if (eligible.length === 0) expect(picked).toBe(-1);
        else expect(eligible).toContain(picked);
      }),
      { numRuns: 200 },
    );
  });
});
