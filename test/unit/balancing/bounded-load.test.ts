/** Bounded load follows HAProxy's arithmetic, over the requests in flight in all workers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LoadBounds } from '../../../src/balancing/bounded-load.js';
import { NONE_TRIED } from '../../../src/balancing/tried-set.js';
import { homeOf, keyOf } from './hashed-keys.js';
import { type EndpointUnderTest, upstreamOf } from './upstream-under-test.js';

function boundsOf(endpoints: readonly EndpointUnderTest[], loads: readonly number[], factor: number): number[] {
  const upstream = upstreamOf('hash', endpoints);
  for (const [endpoint, load] of loads.entries()) upstream.load(endpoint, load);
  const { view } = upstream.picker;
  const bounds = new LoadBounds();
  bounds.derive(view, view.levels[0]!);
  bounds.measure(view, view.levels[0]!, factor, 1);
  return endpoints.map((_, position) => bounds.boundAt(position));
}

describe('bounded load', () => {
  // Test vector of semantics.md 4.
  it('gives three equal endpoints with 30 requests and factor 1.5 15, 16 and 16 places', () => {
    expect(boundsOf([{}, {}, {}], [10, 10, 10], 1.5)).toEqual([15, 16, 16]);
  });

  it('counts all requests, wherever they are', () => {
    expect(boundsOf([{}, {}, {}], [30, 0, 0], 1.5)).toEqual([15, 16, 16]);
  });

  it('gives each its weight, and one place at least', () => {
    expect(boundsOf([{ weight: 6 }, { weight: 3 }, { weight: 1 }], [9, 0, 0], 2)).toEqual([12, 6, 2]);
    expect(boundsOf([{ weight: 100 }, { weight: 1 }], [0, 0], 1.25)).toEqual([1, 1]);
  });

  it('is HAProxy’s sum for any load (naive reference: places by weight and remainder)', () => {
    const members = fc.array(fc.record({ weight: fc.integer({ min: 1, max: 20 }), load: fc.nat({ max: 30 }) }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(members, fc.integer({ min: 101, max: 300 }), (endpoints, percent) => {
        const served = endpoints.reduce((sum, { load }) => sum + load, 0);
        const totalWeight = endpoints.reduce((sum, { weight }) => sum + weight, 0);
        const places = Math.floor(((served + 1) * percent + 99) / 100);
        let before = 0;
        const reference = endpoints.map(({ weight }) => {
          const rest = places % totalWeight;
          const own =
            weight * Math.floor(places / totalWeight) +
            Math.floor(((before + weight) * rest) / totalWeight) -
            Math.floor((before * rest) / totalWeight);
          before += weight;
          return Math.max(1, own);
        });
        const loads = endpoints.map(({ load }) => load);
        expect(boundsOf(endpoints, loads, percent / 100)).toEqual(reference);
      }),
      { numRuns: 50 },
    );
  });

  it('is measured anew with each pick of a small group, and with each tick of a large one', () => {
    const small = upstreamOf('hash', [{}, {}]);
    const bounds = new LoadBounds();
    const { view } = small.picker;
    bounds.derive(view, view.levels[0]!);
    bounds.measure(view, view.levels[0]!, 2, 1);
    small.load(0, 9);
    bounds.measure(view, view.levels[0]!, 2, 1);
    expect(bounds.boundAt(0)).toBe(10);

    const large = upstreamOf(
      'hash',
      Array.from({ length: 64 }, () => ({})),
    );
    const many = new LoadBounds();
    many.derive(large.picker.view, large.picker.view.levels[0]!);
    const measure = (tick: number): number => {
      many.measure(large.picker.view, large.picker.view.levels[0]!, 2, tick);
      return many.boundAt(0);
    };
    expect(measure(1)).toBe(1);
    large.load(3, 319);
    // Three more picks may use the old sum: 64 endpoints are counted once for four picks.
    expect([measure(1), measure(1), measure(1), measure(1)]).toEqual([1, 1, 1, 10]);
    large.load(3, 320);
    expect([measure(1), measure(2)]).toEqual([10, 20]);
  });
});

describe.each(['hash', 'ip-hash', 'ketama', 'maglev', 'rendezvous'] as const)('%s with bounded load', (balance) => {
  it('passes over the endpoint of a key while it has too much in flight, for all workers', () => {
    const upstream = upstreamOf(balance, [{}, {}, {}], 2, { loadFactor: 1.25 });
    const home = homeOf(upstream, 7);
    upstream.load(home, 2);
    // tot = ceil(3 x 1.25) = 4: a bound of 1, or 2 for the last one.
    const other = upstream.attach(1).picker.pick(keyOf(7), NONE_TRIED, 1);
    expect(other).not.toBe(home);
    expect(other).toBeGreaterThanOrEqual(0);
  });

  it('keeps every endpoint at or below its bound while one key is asked for again and again', () => {
    const upstream = upstreamOf(balance, [{}, {}, {}, {}], 2, { loadFactor: 1.5 });
    for (let count = 1; count <= 40; count++) {
      upstream.picker.pick(keyOf(3), NONE_TRIED, 1);
      const most = Math.max(...upstream.plan.endpoints.map(({ slot }) => upstream.board.load.inflight(slot)));
      expect(most).toBeLessThanOrEqual(Math.ceil((count * 1.5) / 4) + 1);
    }
  });

  it('gives a key its own endpoint when there is none below its bound', () => {
    const upstream = upstreamOf(balance, [{}, { cap: 1 }], 2, { loadFactor: 1.1 });
    const key = Array.from({ length: 50 }, (_, number) => number).find((number) => homeOf(upstream, number) === 0)!;
    upstream.load(1, 1);
    upstream.load(0, 10);
    expect(upstream.picker.pick(keyOf(key), NONE_TRIED, 1)).toBe(0);
  });
});
