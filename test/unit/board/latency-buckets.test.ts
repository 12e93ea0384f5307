/** The buckets of latency histograms. */
import { describe, expect, it } from 'vitest';
import {
  bucketOf,
  LATENCY_BUCKETS,
  LATENCY_ERROR,
  LONGEST_LATENCY_US,
  lowestUs,
  middleUs,
} from '../../../src/board/latency-buckets.js';

describe('the buckets of latencies', () => {
  it('tell every latency below 64 µs from its neighbours', () => {
    const buckets = Array.from({ length: 64 }, (_, us) => bucketOf(us));
    expect(new Set(buckets).size).toBe(64);
    expect(buckets.map(middleUs)).toEqual(Array.from({ length: 64 }, (_, us) => us));
  });

  it('follow each other without a gap, up to the longest latency', () => {
    expect(lowestUs(0)).toBe(0);
    for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
      expect(bucketOf(lowestUs(bucket))).toBe(bucket);
      expect(bucketOf(lowestUs(bucket + 1) - 1)).toBe(bucket);
    }
    expect(lowestUs(LATENCY_BUCKETS)).toBe(LONGEST_LATENCY_US + 1);
  });

  it('have a middle that no latency of theirs is further from than the error that is told', () => {
    for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
      const middle = middleUs(bucket);
      for (const us of [lowestUs(bucket), lowestUs(bucket + 1) - 1])
        expect(Math.abs(us - middle)).toBeLessThanOrEqual(us * LATENCY_ERROR);
    }
  });
});
