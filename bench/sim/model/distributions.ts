/** Random amounts: how much work a request is, how long a gap lasts, which key comes next. Pure over an Rng. */
import type { Rng } from '../../../src/core/rng.js';

/** Draws one value. */
export type Sampler = (rng: Rng) => number;

const TWO_TO_31 = 2 ** 31;

/** Evenly spread between 0 and 1, both excluded. */
export function uniform(rng: Rng): number {
  return (rng.nextBits() + 0.5) / TWO_TO_31;
}

/** Always the same. */
export function constant(value: number): Sampler {
  return () => value;
}

/** Without memory: the service times of queueing theory. */
export function exponential(mean: number): Sampler {
  return (rng) => -mean * Math.log(uniform(rng));
}

/**
 * Most values near the median, a few far above: what response times of real programs look like.
 *
 * @param sigma standard deviation of the logarithm; the 95th percentile is median x e^(1.645 sigma)
 */
export function lognormal(median: number, sigma: number): Sampler {
  return (rng) => median * Math.exp(sigma * normal(rng));
}

/** Two kinds of work: `long` in that share of the draws, else `short`. */
export function bimodal(short: number, long: number, longShare: number): Sampler {
  return (rng) => (uniform(rng) < longShare ? long : short);
}

/** Standard normal, by Box and Muller (1958). */
export function normal(rng: Rng): number {
  return Math.sqrt(-2 * Math.log(uniform(rng))) * Math.cos(2 * Math.PI * uniform(rng));
}

/**
 * Numbers from 0 to count - 1 with the popularity of Zipf's law: the k-th is drawn in proportion to 1 / k^exponent.
 *
 * @param exponent 0: all alike; about 1: words, web pages
 */
export function zipf(count: number, exponent: number): Sampler {
  const upTo = new Float64Array(count);
  let total = 0;
  for (let rank = 0; rank < count; rank++) {
    total += (rank + 1) ** -exponent;
    upTo[rank] = total;
  }
  return (rng) => {
    const wanted = uniform(rng) * total;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (upTo[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
