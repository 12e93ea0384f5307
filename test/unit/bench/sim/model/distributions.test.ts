/** Random amounts have the moments that their names promise. */
import { describe, expect, it } from 'vitest';
import {
  bimodal,
  constant,
  exponential,
  lognormal,
  normal,
  type Sampler,
  zipf,
} from '../../../../../bench/sim/model/distributions.js';
import { mean, percentile } from '../../../../../bench/sim/model/recording.js';
import { seededRng } from '../../../../../src/core/rng.js';

const COUNT = 40_000;

function draws(sampler: Sampler): Float64Array {
  const rng = seededRng(3);
  return Float64Array.from({ length: COUNT }, () => sampler(rng)).sort();
}

describe('a distribution', () => {
  it('is constant where it says so', () => {
    expect(new Set(draws(constant(7)))).toEqual(new Set([7]));
  });

  it('is exponential: mean 20, and 1/e of it above the mean', () => {
    const all = draws(exponential(20));
    expect(mean(all)).toBeCloseTo(20, -0.5);
    expect(all.filter((value) => value > 20).length / COUNT).toBeCloseTo(Math.exp(-1), 2);
  });

  it('is normal: mean 0, deviation 1', () => {
    const all = draws(normal);
    expect(mean(all)).toBeCloseTo(0, 1);
    expect(Math.sqrt(mean(all.map((value) => value ** 2)))).toBeCloseTo(1, 1);
  });

  it('is lognormal: median 95, and its P95 is e^(1.645 sigma) times that', () => {
    const all = draws(lognormal(95, 0.3));
    expect(percentile(all, 50) / 95).toBeCloseTo(1, 1);
    expect(percentile(all, 95) / (95 * Math.exp(1.645 * 0.3))).toBeCloseTo(1, 1);
  });

  it('is bimodal: a tenth is long', () => {
    const all = draws(bimodal(5, 100, 0.1));
    expect(new Set(all)).toEqual(new Set([5, 100]));
    expect(all.filter((value) => value === 100).length / COUNT).toBeCloseTo(0.1, 2);
  });

  it("follows Zipf's law: the first is drawn twice as often as the second", () => {
    const all = draws(zipf(100, 1));
    const count = (wanted: number) => all.filter((value) => value === wanted).length;
    expect(count(0) / count(1)).toBeCloseTo(2, 0);
    expect(all.at(-1)).toBeLessThan(100);
    expect(all[0]).toBe(0);
  });
});
