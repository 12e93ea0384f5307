/** The generator is repeatable, even and stays in its bounds. */
import { describe, expect, it } from 'vitest';
import { seededRng } from '../../../src/core/rng.js';

const firstOf = (seed: number, count: number): number[] => {
  const rng = seededRng(seed);
  return Array.from({ length: count }, () => rng.nextBits());
};

describe('seeded rng', () => {
  it('repeats its sequence for the same seed', () => {
    expect(firstOf(7, 100)).toEqual(firstOf(7, 100));
  });

  it('gives unrelated sequences for neighbouring seeds', () => {
    const other = new Set(firstOf(8, 100));
    expect(firstOf(7, 100).filter((bits) => other.has(bits))).toEqual([]);
  });

  it('gives 31 bits', () => {
    expect(firstOf(3, 1000).every((bits) => Number.isInteger(bits) && bits >= 0 && bits < 2 ** 31)).toBe(true);
  });

  it.each([1, 2, 3, 7, 1000, 2 ** 31 - 1])('stays below a bound of %i', (bound) => {
    const rng = seededRng(1);
    for (let draw = 0; draw < 1000; draw++) expect(rng.below(bound)).toBeLessThan(bound);
  });

  it('spreads evenly', () => {
    const rng = seededRng(5);
    const counts = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 100_000; draw++) counts[rng.below(10)]! += 1;
    // Standard deviation of one count is 95; the seed is fixed, so this cannot flake.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });
});
