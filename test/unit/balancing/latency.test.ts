/** The latency estimate follows samples, remembers failures and fades. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DECAY_MS,
  FAILURE_FACTOR,
  FORGIVE_MS,
  fadedEstimate,
  foldFailure,
  foldPeak,
  foldSample,
  isForgiven,
  LEAST_SAMPLE_WEIGHT,
  latencyBucket,
  MOST_LATENCY_US,
  MOST_SAMPLE_US,
  UNKNOWN_US,
} from '../../../src/balancing/latency.js';
import { NEVER, tickOf } from '../../../src/core/tick.js';

const latencies = fc.integer({ min: 1, max: MOST_SAMPLE_US });
const gaps = fc.integer({ min: 0, max: 1_000_000 });

describe('folding into a peak', () => {
  it('takes the first sample and every rise as they are', () => {
    expect([foldPeak(0, 1234, 0), foldPeak(1000, 1001, 5), foldPeak(1000, 1000, 5)]).toEqual([1234, 1001, 1000]);
  });

  // Test vector of semantics.md 3: cost 30, sample 10 after 1 s, tau 10 s -> 28.097.
  it('lets a fall decay', () => {
    expect(foldPeak(30_000, 10_000, 1_000)).toBe(28_097);
  });

  it('stays between the sample and the peak, and falls no slower with time', () => {
    fc.assert(
      fc.property(latencies, latencies, gaps, gaps, (peakUs, sampleUs, gapMs, moreMs) => {
        const folded = foldPeak(peakUs, sampleUs, gapMs);
        expect(folded).toBeGreaterThanOrEqual(sampleUs);
        expect(folded).toBeLessThanOrEqual(Math.max(peakUs, sampleUs));
        expect(foldPeak(peakUs, sampleUs, gapMs + moreMs)).toBeLessThanOrEqual(folded);
      }),
    );
  });
});

describe('folding a sample', () => {
  it('takes the first as it is', () => {
    expect(foldSample(0, 1234, 0)).toBe(1234);
  });

  // Test vector of semantics.md 3: cost 30, sample 10 after 1 s, tau 10 s -> 28.097.
  it('weighs by the time since the last one', () => {
    expect(foldSample(30_000, 10_000, 1_000)).toBe(28_097);
  });

  it('gives a sample its least weight however close it comes', () => {
    expect(foldSample(16_000, 0, 0)).toBe(15_000);
    expect(foldSample(1_000, 17_000, 0)).toBe(2_000);
  });

  it('meets the least weight without a step', () => {
    const gapMs = -DECAY_MS * Math.log(1 - LEAST_SAMPLE_WEIGHT);
    expect(foldSample(1_000_000, 1, gapMs + 0.01)).toBeCloseTo(foldSample(1_000_000, 1, gapMs - 0.01), -1);
  });

  it('believes a sample at once when the estimate is as old as the decay time', () => {
    expect(foldSample(500_000, 10_000, DECAY_MS)).toBe(10_000);
    expect(foldSample(10_000, 500_000, 60_000)).toBe(500_000);
  });

  it('counts no more than ten seconds', () => {
    expect(foldSample(0, 70_000_000, 0)).toBe(MOST_SAMPLE_US);
  });

  it('stays between estimate and sample', () => {
    fc.assert(
      fc.property(latencies, latencies, gaps, (estimateUs, sampleUs, gapMs) => {
        const folded = foldSample(estimateUs, sampleUs, gapMs);
        expect(folded).toBeGreaterThanOrEqual(Math.min(estimateUs, sampleUs));
        expect(folded).toBeLessThanOrEqual(Math.max(estimateUs, sampleUs));
      }),
    );
  });

  it('is never NO_SAMPLE', () => {
    expect([foldSample(0, 0, 0), foldSample(1, 0, 1_000_000)]).toEqual([1, 1]);
  });
});

describe('folding a failure', () => {
  it('doubles the estimate however fast the failure came', () => {
    expect(foldFailure(5_000, 10, 0)).toBe(5_000 * FAILURE_FACTOR);
  });

  it('counts the time the attempt took, if that is more', () => {
    expect(foldFailure(5_000, 80_000, 0)).toBe(160_000);
  });

  it('makes an endpoint without a sample slower than one nothing is known of', () => {
    expect(foldFailure(0, 10, 0)).toBe(UNKNOWN_US * FAILURE_FACTOR);
  });

  it('has a bound', () => {
    expect(foldFailure(MOST_LATENCY_US, 60_000_000, 0)).toBe(MOST_LATENCY_US);
    expect(foldFailure(5_000, 60_000_000, 0)).toBe(MOST_SAMPLE_US * FAILURE_FACTOR);
  });

  it('drives an endpoint out that fails one request in ten, and forgives one in thirty', () => {
    const estimateAfter = (every: number): number => {
      let estimateUs = 10_000;
      for (let request = 1; request <= 600; request++) {
        estimateUs = request % every === 0 ? foldFailure(estimateUs, 100, 0) : foldSample(estimateUs, 10_000, 0);
      }
      return estimateUs;
    };
    expect(estimateAfter(8)).toBeGreaterThan(100_000);
    expect(estimateAfter(30)).toBeLessThan(25_000);
  });
});

describe('a fading estimate', () => {
  it('loses 63 % in the decay time', () => {
    expect(fadedEstimate(1_000_000, DECAY_MS)).toBeCloseTo(1_000_000 / Math.E, 3);
  });

  it('stands still while samples come, and for a clock that is behind', () => {
    expect([fadedEstimate(1000, 0), fadedEstimate(1000, 50), fadedEstimate(1000, -5)]).toEqual([1000, 1000, 1000]);
  });
});

describe('forgiveness', () => {
  it.each([1_000, 2 ** 31 - 20_000, -10_000])(
    'comes when a failed endpoint got nothing for a while (clock at %i)',
    (at) => {
      const later = (ms: number) => tickOf(at + ms);
      expect(isForgiven(NEVER, later(0), later(60_000))).toBe(false);
      expect(isForgiven(later(0), later(0), later(FORGIVE_MS - 1))).toBe(false);
      expect(isForgiven(later(0), later(0), later(FORGIVE_MS))).toBe(true);
    },
  );

  it('comes also when a few answers followed the failure, and not when the failure is long ago', () => {
    expect(isForgiven(tickOf(1_000), tickOf(21_000), tickOf(26_000))).toBe(true);
    expect(isForgiven(tickOf(1_000), tickOf(21_000), tickOf(25_000))).toBe(false);
    expect(isForgiven(tickOf(1_000), tickOf(301_000), tickOf(306_000))).toBe(false);
  });
});

describe('latency bucket', () => {
  it.each([
    [0, 256],
    [255, 256],
    [256, 256],
    [287, 256],
    [288, 288],
    [1000, 960],
    [1024, 1024],
    [1151, 1024],
    [1152, 1152],
    [10_000_000, 9_437_184],
    [1e12, 2 ** 30],
  ])('of %i µs is %i', (latencyUs, bucketUs) => {
    expect(latencyBucket(latencyUs)).toBe(bucketUs);
  });

  it('keeps the order and loses less than an eighth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 256, max: 2 ** 30 }), fc.integer({ min: 256, max: 2 ** 30 }), (a, b) => {
        if (a < b) expect(latencyBucket(a)).toBeLessThanOrEqual(latencyBucket(b));
        expect(latencyBucket(a)).toBeLessThanOrEqual(a);
        expect(latencyBucket(a)).toBeGreaterThan(a * 0.875);
      }),
    );
  });
});
