/** Latencies that were read from the board's histograms as an HdrHistogram, which knows percentiles. */
import { build, type Histogram } from 'hdr-histogram-js';
import { LONGEST_LATENCY_US } from '../board/latency-buckets.js';
import type { LatencyCounts } from '../board/latency-counts.js';

/**
 * Digits that the HdrHistogram keeps. What it adds to the error is at most 0.1 %: with that of the buckets (LATENCY_ERROR) 1.7 %, where 2 %
 * are allowed.
 */
const SIGNIFICANT_DIGITS = 3;

/** An empty histogram in µs, to be filled over and over: it takes 185 KiB. Thread: any. */
export function latencyHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_LATENCY_US,
    numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
    bitBucketSize: 64,
  });
}

/** Makes the histogram tell of these latencies and no others. @returns it, for its percentiles in µs */
export function fillHistogram(histogram: Histogram, counts: LatencyCounts): Histogram {
  histogram.reset();
  counts.visit((us, count) => {
    histogram.recordValueWithCount(us, count);
  });
  return histogram;
}
