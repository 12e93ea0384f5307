/** Latencies from histograms against an exact sort, and their sums against each other. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { figuresLayoutFor } from '../../../src/board/figures-layout.js';
import { allocateFigures, mapFigures } from '../../../src/board/figures-memory.js';
import { LATENCY_BUCKETS, LONGEST_LATENCY_US } from '../../../src/board/latency-buckets.js';
import { LatencyCounts } from '../../../src/board/latency-counts.js';
import { LatencyPages } from '../../../src/board/latency-pages.js';
import { seededRng } from '../../../src/core/rng.js';
import { fillHistogram, latencyHistogram } from '../../../src/observability/latency-histogram.js';

const capacities = { endpointSlots: 1, routes: 1, listeners: 1, upstreams: 1 };
const INDEX = figuresLayoutFor(capacities).directories.route.base;
const PERCENTILES = [1, 25, 50, 75, 90, 95, 99, 99.9, 100];
/** What the issue allows. */
const MOST_ERROR = 0.02;
const histogram = latencyHistogram();

function pagesOf(): LatencyPages {
  return new LatencyPages(mapFigures(allocateFigures(capacities), capacities));
}

function countsOf(latencies: readonly number[]): LatencyCounts {
  const pages = pagesOf();
  for (const us of latencies) pages.record(INDEX, us);
  const counts = new LatencyCounts();
  pages.addTo(counts, INDEX);
  return counts;
}

/** As HdrHistogram counts: the smallest latency that so many percent of all do not exceed. */
function exact(sorted: readonly number[], percentile: number): number {
  return sorted[Math.max(Math.ceil((percentile * sorted.length) / 100), 1) - 1]!;
}

function expectClose(latencies: readonly number[]): void {
  const sorted = [...latencies].sort((a, b) => a - b);
  fillHistogram(histogram, countsOf(latencies));
  expect(histogram.totalCount).toBe(latencies.length);
  for (const percentile of PERCENTILES) {
    const us = exact(sorted, percentile);
    expect(Math.abs(histogram.getValueAtPercentile(percentile) - us)).toBeLessThanOrEqual(us * MOST_ERROR);
  }
}

/** Uniform in [0, 1). */
type Random = () => number;

/** Standard normal, by Box and Muller. */
const normal = (rng: Random): number => Math.sqrt(-2 * Math.log(1 - rng())) * Math.cos(2 * Math.PI * rng());

const DISTRIBUTIONS: Readonly<Record<string, (rng: Random) => number>> = {
  uniform: (rng) => rng() * 1e6,
  exponential: (rng) => -Math.log(1 - rng()) * 5_000,
  'log-normal': (rng) => Math.exp(7 + 1.5 * normal(rng)),
  'heavy tail': (rng) => 100 / (1 - rng()) ** 1.2,
  'two peaks': (rng) => (rng() < 0.9 ? 300 + 20 * normal(rng) : 80_000 + 5_000 * normal(rng)),
  'nearly constant': (rng) => 1_000 + Math.floor(rng() * 3),
  'below a millisecond': (rng) => rng() * 1_000,
  'log-uniform over everything': (rng) => 2 ** (rng() * 31),
};

describe('latencies read with HdrHistogram', () => {
  it.each(Object.entries(DISTRIBUTIONS))('are within 2 % of an exact sort: %s', (_, draw) => {
    const seeded = seededRng(8);
    const rng: Random = () => seeded.nextBits() / 2 ** 31;
    const whole = (us: number): number => Math.min(Math.max(Math.floor(us), 0), LONGEST_LATENCY_US);
    expectClose(Array.from({ length: 5_000 }, () => whole(draw(rng))));
  });

  it('are within 2 % of an exact sort, whatever they are', () => {
    const latency = fc.oneof(
      fc.integer({ min: 1, max: LONGEST_LATENCY_US }),
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 0, max: 30 }).chain((power) => fc.integer({ min: 2 ** power, max: 2 ** (power + 1) - 1 })),
    );
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1, maxLength: 60 }), (latencies) => expectClose(latencies)),
      { numRuns: 60 },
    );
  });
});

describe('latency counts', () => {
  const latencies = fc.array(fc.integer({ min: 0, max: LONGEST_LATENCY_US }), { maxLength: 80 });

  it('added up are those of all latencies together, and subtracted what came since', () => {
    fc.assert(
      fc.property(latencies, latencies, (former, later) => {
        const before = countsOf(former);
        const all = countsOf([...former, ...later]);
        const sum = countsOf(later);
        sum.add(before);
        expect([sum.count, sum.sumUs, [...sum.buckets]]).toEqual([all.count, all.sumUs, [...all.buckets]]);
        all.subtract(before);
        const since = countsOf(later);
        expect([all.count, all.sumUs, [...all.buckets]]).toEqual([since.count, since.sumUs, [...since.buckets]]);
      }),
      { numRuns: 60 },
    );
  });

  it('tell for rising bounds how many were at most so long, but for those of the bucket that a bound lies in', () => {
    fc.assert(
      fc.property(latencies, fc.integer({ min: 64, max: LONGEST_LATENCY_US }), (all, bound) => {
        const [told, everything] = countsOf(all).cumulative([bound, LONGEST_LATENCY_US]);
        const atMost = (us: number): number => all.filter((latency) => latency <= us).length;
        expect(told).toBeGreaterThanOrEqual(atMost(bound * (1 - MOST_ERROR)));
        expect(told).toBeLessThanOrEqual(atMost(bound * (1 + MOST_ERROR)));
        expect(everything).toBe(all.length);
      }),
    );
  });

  it('have a bucket for every latency', () => {
    expect(countsOf([0, LONGEST_LATENCY_US]).buckets).toHaveLength(LATENCY_BUCKETS);
  });
});
