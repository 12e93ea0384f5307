/** rendezvous moves only the keys of who comes or goes, and gives each endpoint its weight of them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_ENDPOINT } from '../../../src/balancing/balancer.js';
import { evenRank, NameWords, weightedRank } from '../../../src/balancing/rendezvous-order.js';
import { TriedSet } from '../../../src/balancing/tried-set.js';
import { homeOf, homesOf, keyOf, movedShare, sharesOf } from './hashed-keys.js';
import { upstreamOf } from './upstream-under-test.js';

const KEYS = 8_000;

describe('rendezvous', () => {
  it('picks the eligible endpoint with the highest score, whoever is tried or full (naive reference: sort all)', () => {
    const endpoint = fc.record({ weight: fc.integer({ min: 1, max: 9 }), isFull: fc.boolean(), isTried: fc.boolean() });
    fc.assert(
      fc.property(fc.array(endpoint, { minLength: 1, maxLength: 9 }), fc.nat(), (endpoints, number) => {
        const upstream = upstreamOf(
          'rendezvous',
          endpoints.map(({ weight }) => ({ weight, cap: 1 })),
        );
        const tried = new TriedSet();
        endpoints.forEach(({ isFull, isTried }, index) => {
          if (isFull) upstream.load(index, 1);
          if (isTried) tried.add(index);
        });
        const key = keyOf(number);
        const scored = endpoints.map(({ weight }, index) => {
          const { low, high } = new NameWords(upstream.plan.endpoints[index]!.name);
          return { index, score: weightedRank(evenRank(key.hash, key.hashHigh, low, high), weight) };
        });
        const best = scored
          .filter(({ index }) => !endpoints[index]!.isFull && !endpoints[index]!.isTried)
          .sort((a, b) => b.score - a.score)[0];
        expect(upstream.picker.pick(key, tried, 1)).toBe(best?.index ?? NO_ENDPOINT);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    [1, 1, 1, 1],
    [1, 2, 3, 4],
  ])('gives endpoints of weights %i, %i, %i, %i their shares, to 2 %', (...weights) => {
    const upstream = upstreamOf(
      'rendezvous',
      weights.map((weight) => ({ weight })),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const shares = sharesOf(homesOf(upstream, 100_000), weights.length);
    shares.forEach((share, index) => {
      expect(Math.abs((share * total) / weights[index]! - 1)).toBeLessThan(0.02);
    });
  });

  it.each([3, 12])('moves only the keys of an endpoint that leaves %i, and brings all of them back', (count) => {
    const upstream = upstreamOf(
      'rendezvous',
      Array.from({ length: count }, () => ({})),
    );
    const before = homesOf(upstream, KEYS);
    const gone = 1;
    const { slot } = upstream.plan.endpoints[gone]!;
    upstream.board.control.setHealthy(slot, false);
    const without = homesOf(upstream, KEYS);
    expect(movedShare(before, without)).toBeLessThan(1 / count + 0.02);
    expect(before.filter((home, key) => home !== gone && home !== without[key])).toEqual([]);
    // Its keys spread over all that are left.
    expect(Math.max(...sharesOf(without, count))).toBeLessThan(1.25 / (count - 1));
    upstream.board.control.setHealthy(slot, true);
    expect(homesOf(upstream, KEYS)).toEqual(before);
  });

  it('moves keys only to an endpoint whose weight grows', () => {
    const lighter = upstreamOf('rendezvous', [{ weight: 3 }, { weight: 2 }, { weight: 2 }]);
    const heavier = upstreamOf('rendezvous', [{ weight: 3 }, { weight: 2 }, { weight: 4 }]);
    const before = homesOf(lighter, KEYS);
    const after = homesOf(heavier, KEYS);
    expect(after.filter((home, key) => home !== before[key] && home !== 2)).toEqual([]);
    // From 2 of 7 to 4 of 9.
    expect(Math.abs(movedShare(before, after) - (4 / 9 - 2 / 7))).toBeLessThan(0.02);
  });

  it('goes by the names of endpoints, not by their order', () => {
    const upstream = upstreamOf('rendezvous', [{}, {}, {}]);
    const names = upstream.plan.endpoints.map(({ name }) => new NameWords(name));
    for (let number = 0; number < 100; number++) {
      const { hash, hashHigh } = keyOf(number);
      const ranks = names.map(({ low, high }) => evenRank(hash, hashHigh, low, high));
      expect(homeOf(upstream, number)).toBe(ranks.indexOf(Math.max(...ranks)));
    }
  });

  it('fails over to the next in the order of the key, one after the other, then to the backups', () => {
    const upstream = upstreamOf('rendezvous', [{}, {}, {}, { isBackup: true }]);
    const tried = new TriedSet();
    const order: number[] = [];
    for (let attempt = 0; attempt < 5; attempt++) {
      const endpoint = upstream.picker.pick(keyOf(1), tried, 1);
      order.push(endpoint);
      tried.add(endpoint);
    }
    expect(new Set(order.slice(0, 3))).toEqual(new Set([0, 1, 2]));
    expect(order.slice(3)).toEqual([3, NO_ENDPOINT]);
  });
});
