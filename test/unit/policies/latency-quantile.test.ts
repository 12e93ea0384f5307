/** The quantile of recent times is held against the exact one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HedgeDelay, NO_HEDGE } from '../../../src/policies/hedge-delay.js';
import { LatencyQuantile, NOT_KNOWN } from '../../../src/policies/latency-quantile.js';

/** The smallest time that so large a share of all times does not exceed. */
function exact(times: readonly number[], quantile: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(quantile * sorted.length)) - 1]!;
}

describe('LatencyQuantile', () => {
  it('knows nothing before there are 64 times', () => {
    const times = new LatencyQuantile(0.95);
    for (let count = 0; count < 63; count++) times.record(100);
    expect(times.valueUs).toBe(NOT_KNOWN);
    times.record(100);
    expect(times.valueUs).toBeGreaterThanOrEqual(100);
  });

  it('is at most a sixteenth above the exact quantile, and never below', () => {
    const anyTime = fc.oneof(fc.nat(100), fc.nat(50_000), fc.nat(2 ** 31 - 1));
    fc.assert(
      fc.property(
        fc.array(anyTime, { minLength: 64, maxLength: 64 * 12 }),
        fc.integer({ min: 1, max: 99 }),
        (drawn, percent) => {
          const known = drawn.slice(0, drawn.length - (drawn.length % 64));
          const times = new LatencyQuantile(percent / 100);
          for (const time of known) times.record(time);
          const wanted = exact(known, percent / 100);
          expect(times.valueUs).toBeGreaterThanOrEqual(wanted);
          expect(times.valueUs).toBeLessThanOrEqual(wanted + wanted / 16 + 1);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('follows times that change, and forgets the old ones', () => {
    const times = new LatencyQuantile(0.95);
    for (let count = 0; count < 10_000; count++) times.record(1_000);
    for (let count = 0; count < 10_000; count++) times.record(50_000);
    expect(times.valueUs).toBeGreaterThan(49_000);
    for (let count = 0; count < 30_000; count++) times.record(1_000);
    expect(times.valueUs).toBeLessThan(1_100);
  });
});

describe('HedgeDelay', () => {
  it('is the configured one', () => {
    const delay = new HedgeDelay({ kind: 'delay', afterMs: 30 });
    delay.answered(5);
    expect(delay.delayMs).toBe(30);
  });

  it('is the quantile in ms, but not below the least', () => {
    const delay = new HedgeDelay({ kind: 'quantile', quantile: 0.5, leastMs: 5 });
    expect(delay.delayMs).toBe(NO_HEDGE);
    for (let count = 0; count < 64; count++) delay.answered(20_000);
    expect(delay.delayMs).toBeGreaterThanOrEqual(20);
    expect(delay.delayMs).toBeLessThan(21.5);
    for (let count = 0; count < 1_000; count++) delay.answered(10);
    expect(delay.delayMs).toBe(5);
  });
});
