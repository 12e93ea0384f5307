/** Percentiles of a sliding window, from histograms that only grow. */
import { describe, expect, it } from 'vitest';
import { bucketOf } from '../../../src/board/latency-buckets.js';
import { LatencyCounts } from '../../../src/board/latency-counts.js';
import { seededRng } from '../../../src/core/rng.js';
import { latencyHistogram } from '../../../src/observability/latency-histogram.js';
import { LatencyWindow, latencyFiguresOf } from '../../../src/observability/latency-window.js';
import { LATENCY_BOUNDS_MS } from '../../../src/observability/live-figures.js';

const histogram = latencyHistogram();

/** Adds latencies in µs to what is there. */
function count(into: LatencyCounts, ...latenciesUs: readonly number[]): void {
  for (const us of latenciesUs) {
    into.buckets[bucketOf(us)]! += 1;
    into.count += 1;
  }
}

/** A histogram that grows, and a window that reads it. */
function stage() {
  const recorded = new LatencyCounts();
  const window = new LatencyWindow();
  const read = (atMs: number, ...latenciesUs: readonly number[]) => {
    count(recorded, ...latenciesUs);
    window.add(atMs, (into) => into.add(recorded));
  };
  return { window, read };
}

describe('latencies of a window', () => {
  it('are those that came after it began', () => {
    const { window, read } = stage();
    read(1_000, 5_000);
    read(2_000, 7_000, 7_000);
    read(3_000, 9_000);
    expect([window.counts.count, window.seen]).toEqual([4, 4]);
    window.beginAt(1_000);
    expect(window.counts.count).toBe(3);
    window.beginAt(2_000);
    expect(latencyFiguresOf(window.counts, histogram)?.p50).toBeCloseTo(9, 0);
    window.beginAt(60_000);
    expect([window.counts.count, latencyFiguresOf(window.counts, histogram)]).toEqual([0, null]);
  });

  it('have a heat column for each bound, of the last reading only', () => {
    const { window, read } = stage();
    read(1_000, 3_000);
    read(2_000, 500, 900, 15_000, 9_000_000);
    const heat = window.heatAt(2_000);
    expect(heat).toHaveLength(LATENCY_BOUNDS_MS.length + 1);
    expect([heat[0], heat[1], heat[4], heat.at(-1)]).toEqual([2, 0, 1, 1]);
    expect(Math.max(...window.heatAt(3_000))).toBe(0);
  });
});

describe('percentiles', () => {
  it.each([1, 2, 3])('are within 2 % of an exact sort (seed %i)', (seed) => {
    const rng = seededRng(seed);
    const latencies = Array.from({ length: 20_000 }, () =>
      Math.floor(20 * Math.exp((rng.below(1_000_000) / 1_000_000) * 10)),
    );
    const counts = new LatencyCounts();
    count(counts, ...latencies);
    const sorted = latencies.sort((a, b) => a - b);
    const figures = latencyFiguresOf(counts, histogram)!;
    for (const [percentile, ms] of [
      [50, figures.p50],
      [95, figures.p95],
      [99, figures.p99],
    ] as const) {
      const exactMs = sorted[Math.ceil((percentile / 100) * sorted.length) - 1]! / 1_000;
      expect(Math.abs(ms - exactMs) / exactMs).toBeLessThan(0.02);
    }
    expect(Math.abs(figures.max / (sorted.at(-1)! / 1_000) - 1)).toBeLessThan(0.02);
  });

  it('of one latency are all that latency', () => {
    const counts = new LatencyCounts();
    count(counts, 20);
    expect(latencyFiguresOf(counts, histogram)).toEqual({ p50: 0.02, p95: 0.02, p99: 0.02, max: 0.02 });
  });
});
