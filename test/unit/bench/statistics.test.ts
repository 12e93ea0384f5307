/** The laboratory's statistics. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lowerQuartile, median, medianInterval, ratioOf, spread } from '../../../bench/load/statistics.mjs';

const numbers = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 60 });

describe('median', () => {
  it.each([
    [[3], 3],
    [[3, 1, 2], 2],
    [[10, 9, 1, 2], 5.5],
  ])('of %j is %d', (given, expected) => {
    expect(median(given)).toBe(expected);
  });

  it('has as many numbers below as above', () => {
    fc.assert(
      fc.property(numbers, (given) => {
        const middle = median(given);
        const below = given.filter((number) => number < middle).length;
        const above = given.filter((number) => number > middle).length;
        expect(Math.max(below, above)).toBeLessThanOrEqual(given.length / 2);
      }),
    );
  });
});

describe('the lower quartile', () => {
  it.each([
    [[3], 3],
    [[4, 2, 3, 1], 1],
    [[5, 4, 3, 2, 1], 2],
    [[8, 7, 6, 5, 4, 3, 2, 1], 2],
  ])('of %j is %d', (given, expected) => {
    expect(lowerQuartile(given)).toBe(expected);
  });

  it('does not mind what the dearer half is', () => {
    expect(lowerQuartile([20, 21, 900, 22, 800, 700])).toBe(lowerQuartile([20, 21, 23, 22, 24, 25]));
  });
});

describe('spread', () => {
  it('is the range as a share of the median', () => {
    expect(spread([8, 10, 14])).toBeCloseTo(0.6);
    expect(spread([5])).toBe(0);
    expect(spread([0, 0])).toBe(0);
  });
});

describe('a ratio', () => {
  it('is taken round by round, so that a slow round of both counts for neither', () => {
    const ratio = ratioOf([10, 100, 11], [5, 50, 5.5]);
    expect(ratio).toEqual({ min: 2, median: 2, low: 2, high: 2 });
  });

  it('of something to itself is 1', () => {
    fc.assert(
      fc.property(numbers, (given) => {
        expect(ratioOf(given, given)).toEqual({ min: 1, median: 1, low: 1, high: 1 });
      }),
    );
  });
});

describe('the interval of a median', () => {
  // Ranks of the sign test at 95 %, e.g. Conover, Practical Nonparametric Statistics: 6 → 1, 9 → 2, 11 → 2, 20 → 6.
  it.each([
    [1, 1],
    [5, 1],
    [6, 1],
    [8, 1],
    [9, 2],
    [11, 2],
    [12, 3],
    [20, 6],
  ])('of %i numbers begins at number %i', (count, rank) => {
    const sorted = Array.from({ length: count }, (_, index) => index + 1);
    expect(medianInterval([...sorted].reverse())).toEqual({ low: rank, high: count + 1 - rank });
  });

  it('is wider where it has to be surer', () => {
    const sorted = Array.from({ length: 31 }, (_, index) => index + 1);
    expect(medianInterval(sorted)).toEqual({ low: 10, high: 22 });
    expect(medianInterval(sorted, 0.99)).toEqual({ low: 8, high: 24 });
  });

  it('holds the median', () => {
    fc.assert(
      fc.property(numbers, (given) => {
        const { low, high } = medianInterval(given);
        expect(low).toBeLessThanOrEqual(median(given));
        expect(high).toBeGreaterThanOrEqual(median(given));
      }),
    );
  });
});
