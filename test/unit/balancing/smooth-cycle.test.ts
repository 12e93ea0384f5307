/** The written-out order is nginx's, for one whole cycle. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_CYCLE, smoothCycle } from '../../../src/balancing/smooth-cycle.js';
import { letterOf } from './upstream-under-test.js';

/** nginx's loop as semantics.md 1 has it, with objects. */
function naive(weights: readonly number[], steps: number): number[] {
  const peers = weights.map((weight) => ({ weight, current: 0 }));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Array.from({ length: steps }, () => {
    for (const peer of peers) peer.current += peer.weight;
    const best = peers.reduce((a, b) => (b.current > a.current ? b : a));
    best.current -= total;
    return peers.indexOf(best);
  });
}

describe('smooth cycle', () => {
  // Test vectors of semantics.md 1.
  it.each([
    [[5, 1, 1], 'aabacaa'],
    [[3, 2, 1], 'abacba'],
    [[4, 3, 2, 1], 'abcabdacba'],
    [[1, 1, 1], 'abc'],
    [[2, 2, 2], 'abc'],
    [[7], 'a'],
    [[], ''],
  ])('of weights %j is %s', (weights, order) => {
    expect([...smoothCycle(weights)].map(letterOf).join('')).toBe(order);
  });

  it('is the order of nginx for any weights', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 }), (weights) => {
        const cycle = [...smoothCycle(weights)];
        expect(cycle).toEqual(naive(weights, cycle.length));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        weights.forEach((weight, member) => {
          expect(cycle.filter((entry) => entry === member).length * total).toBe(weight * cycle.length);
        });
      }),
    );
  });

  it('is the order of nginx where many weights are equal', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(2, 3, 5), { minLength: 1, maxLength: 30 }), (weights) => {
        const cycle = [...smoothCycle(weights)];
        expect(cycle).toEqual(naive(weights, cycle.length));
      }),
    );
  });

  it('never grows beyond its bound by more than the members, and leaves nobody out', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 65_535 }), { minLength: 2, maxLength: 40 }), (weights) => {
        const cycle = smoothCycle(weights);
        expect(cycle.length).toBeLessThanOrEqual(LONGEST_CYCLE + weights.length);
        expect(new Set(cycle).size).toBe(weights.length);
      }),
      { numRuns: 30 },
    );
  });

  it('has every one of many equal members once', () => {
    expect(smoothCycle(new Array<number>(5000).fill(9))).toEqual(
      Uint16Array.from({ length: 5000 }, (_, member) => member),
    );
  });
});
