/** least-conn picks the fewest in flight for the weight, equals in turn. */
import { describe, expect, it } from 'vitest';
import { upstreamOf } from './upstream-under-test.js';

describe('least-conn', () => {
  it('picks the endpoint with the fewest in flight', () => {
    const upstream = upstreamOf('least-conn', [{}, {}, {}]);
    upstream.load(0, 2);
    upstream.load(1, 1);
    upstream.load(2, 3);
    expect(upstream.picks(3)).toMatch(/^b(ab|ba)$/);
  });

  it('weighs what is in flight', () => {
    const upstream = upstreamOf('least-conn', [{ weight: 3 }, { weight: 1 }]);
    upstream.load(0, 4);
    upstream.load(1, 2);
    expect(upstream.picks(1)).toBe('a'); // 4/3 < 2/1
    expect(upstream.picks(1)).toBe('a'); // 5/3 < 2/1
  });

  it('gives equals their turns in the smooth order, so weights count while nothing is in flight', () => {
    const upstream = upstreamOf('least-conn', [{ weight: 5 }, { weight: 1 }, { weight: 1 }]);
    const order = Array.from({ length: 14 }, () => {
      const endpoint = upstream.pick();
      const { slot, generation } = upstream.plan.endpoints[endpoint]!;
      upstream.worker.claims.end(slot, generation);
      return 'abc'[endpoint];
    });
    expect(order.join('')).toBe('aabacaaaabacaa');
  });

  it('keeps a large upstream level by drawing two of it', () => {
    const upstream = upstreamOf(
      'least-conn',
      Array.from({ length: 64 }, () => ({})),
    );
    for (let pick = 0; pick < 6400; pick++) upstream.pick();
    const loads = upstream.plan.endpoints.map(({ slot }) => upstream.board.load.inflight(slot));
    // 100 each on average; random choice alone would reach about 125 (power of two choices: log log n above the mean).
    expect(Math.max(...loads)).toBeLessThanOrEqual(104);
  });

  it('respects weights in a large upstream', () => {
    const upstream = upstreamOf(
      'least-conn',
      Array.from({ length: 40 }, (_, index) => ({ weight: index < 20 ? 3 : 1 })),
    );
    for (let pick = 0; pick < 8000; pick++) upstream.pick();
    const heavy = upstream.plan.endpoints
      .slice(0, 20)
      .reduce((sum, { slot }) => sum + upstream.board.load.inflight(slot), 0);
    expect(Math.abs(heavy / 8000 - 0.75)).toBeLessThan(0.01);
  });
});
