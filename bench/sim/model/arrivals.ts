/** When requests come: evenly, at random, in bursts, or with the time of day. */
import type { Rng } from '../../../src/core/rng.js';
import { uniform } from './distributions.js';

/** @returns ms from `nowMs` to the next request */
export type Arrivals = (rng: Rng, nowMs: number) => number;

const MS_PER_S = 1_000;

/** One request after the other at equal distances. @param rate requests a second */
export function steady(rate: number): Arrivals {
  return () => MS_PER_S / rate;
}

/** Many clients who know nothing of each other: gaps are exponential. @param rate requests a second */
export function poisson(rate: number): Arrivals {
  return (rng) => (-MS_PER_S / rate) * Math.log(uniform(rng));
}

/**
 * Poisson with a rate that changes, by thinning (Lewis and Shedler 1979): drawn at the highest rate, kept in proportion.
 *
 * @param rateAt requests a second at a moment of simulated time
 * @param mostRate never exceeded by rateAt
 */
export function poissonOf(rateAt: (ms: number) => number, mostRate: number): Arrivals {
  const candidates = poisson(mostRate);
  return (rng, nowMs) => {
    let atMs = nowMs;
    for (;;) {
      atMs += candidates(rng, atMs);
      if (uniform(rng) * mostRate <= rateAt(atMs)) return atMs - nowMs;
    }
  };
}

/** Poisson, `factor` times as many between two moments. @param rate requests a second outside of the burst */
export function burst(rate: number, factor: number, fromMs: number, toMs: number): Arrivals {
  return poissonOf((ms) => (ms >= fromMs && ms < toMs ? rate * factor : rate), rate * factor);
}
