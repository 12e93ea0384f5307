/** Weights from what endpoints report: gRFC A58. */
import { describe, expect, it } from 'vitest';
import {
  believedWeight,
  reportedShares,
  reportedWeight,
  reportingSince,
} from '../../../../src/control/weights/reported.js';

const report = { utilization: 0.5, rate: 100, errorRate: 0, at: 1_000 };

describe('a report', () => {
  it.each([
    [{}, 200],
    [{ utilization: 1 }, 100],
    [{ errorRate: 50 }, 100],
    [{ rate: 10, utilization: 0.1, errorRate: 1 }, 50],
  ])('%o weighs rate over utilization and errors', (parts, weight) => {
    expect(reportedWeight({ ...report, ...parts })).toBeCloseTo(weight);
  });

  it.each([{ rate: 0 }, { utilization: 0 }, { rate: Number.NaN }, { utilization: -1 }])(
    'without %o says nothing',
    (parts) => {
      expect(reportedWeight({ ...report, ...parts })).toBeNull();
    },
  );

  it('is believed after the first ten seconds, and for three minutes', () => {
    const since = reportingSince(null, report, 1_500);
    expect(since).toBe(1_000);
    const latest = { ...report, at: 9_000 };
    expect(reportingSince(since, latest, 10_000)).toBe(1_000);
    expect([10_999, 11_000].map((now) => believedWeight(since, latest, now))).toEqual([null, 200]);
    expect(reportingSince(since, latest, 188_999)).toBe(1_000);
    expect(reportingSince(since, latest, 189_000)).toBeNull();
    // A new blackout begins with the next report.
    expect(reportingSince(null, { ...report, at: 200_000 }, 200_100)).toBe(200_000);
  });

  it('does not count while there is none', () => {
    expect([reportingSince(null, null, 5_000), believedWeight(null, null, 5_000)]).toEqual([null, null]);
  });
});

describe('shares of reported weights', () => {
  it('are around 1, and 1 for who has not reported', () => {
    expect(reportedShares([100, 300, null])).toEqual([0.5, 1.5, 1]);
  });

  it('are all 1 with fewer than two weights', () => {
    expect([reportedShares([null, 300, null]), reportedShares([])]).toEqual([[1, 1, 1], []]);
  });

  it('have bounds', () => {
    expect(reportedShares([1, 1_000])[0]).toBe(0.05);
    const one = reportedShares([100_000, ...Array.from({ length: 99 }, () => 1)])[0];
    expect(one).toBe(20);
  });
});
