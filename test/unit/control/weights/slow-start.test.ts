/** How an endpoint that begins comes to its full share. */
import { describe, expect, it } from 'vitest';
import { rampShare, rampStepMs, SlowStart } from '../../../../src/control/weights/slow-start.js';
import { endpointPlan } from '../plans.js';

const settings = { windowMs: 60_000, aggression: 1, leastShare: 0.1 };

describe('ramp', () => {
  // Source: semantics.md 5, Envoy, window 60 s, least share 10 %.
  it.each([
    [1, [0.1, 0.25, 0.5, 0.75, 1]],
    [2, [0.316, 0.5, Math.SQRT1_2, 0.866, 1]],
    [0.5, [0.1, 0.1, 0.25, 0.5625, 1]],
  ])('has the shares of Envoy with aggression %s', (aggression, shares) => {
    const after = [6, 15, 30, 45, 60].map((seconds) => rampShare(seconds * 1_000, { ...settings, aggression }));
    for (const [index, share] of shares.entries()) expect(after[index]).toBeCloseTo(share, 3);
  });

  it('begins with the least share and stays at 1', () => {
    expect([0, 61_000].map((elapsedMs) => rampShare(elapsedMs, settings))).toEqual([0.1, 1]);
  });

  it.each([
    [1_000, 100],
    [30_000, 300],
    [600_000, 1_000],
  ])('of %i ms moves every %i ms', (windowMs, stepMs) => {
    expect(rampStepMs({ ...settings, windowMs })).toBe(stepMs);
  });
});

describe('slow start', () => {
  const endpoints = [0, 1, 2].map((slot) => endpointPlan('127.0.0.1', 9001 + slot, slot));
  const allWork = () => true;

  it('moves who began, and nobody else, to the end of the window', () => {
    const slowStart = new SlowStart(endpoints, settings);
    expect(slowStart.isRamping).toBe(false);
    expect(slowStart.begin(1, 5_000, allWork)).toBe(0.1);
    expect(slowStart.step(35_000, allWork)).toEqual({ shares: [{ slot: 1, ramp: 0.5 }], ended: [] });
    expect([slowStart.progress(1, 35_000), slowStart.progress(0, 35_000)]).toEqual([0.5, null]);
    expect(slowStart.step(65_000, allWork)).toEqual({ shares: [{ slot: 1, ramp: 1 }], ended: [1] });
    expect([slowStart.isRamping, slowStart.step(66_000, allWork).shares]).toEqual([false, []]);
  });

  it('begins anew with an endpoint that fails and recovers on its way', () => {
    const slowStart = new SlowStart(endpoints, settings);
    slowStart.begin(1, 0, allWork);
    expect(slowStart.begin(1, 30_000, allWork)).toBe(0.1);
    expect(slowStart.step(60_000, allWork).shares).toEqual([{ slot: 1, ramp: 0.5 }]);
  });

  it('lets a lone endpoint take everything at once', () => {
    const slowStart = new SlowStart(endpoints, settings);
    expect(slowStart.begin(1, 0, () => false)).toBe(1);
    expect(slowStart.step(12_000, (slot) => slot === 1).shares).toEqual([{ slot: 1, ramp: 1 }]);
  });

  it('keeps the proportions of endpoints that all warm up, with the largest at 1', () => {
    const slowStart = new SlowStart(endpoints, settings);
    const working = new Set<number>();
    const begin = (slot: number, nowMs: number): number => {
      const share = slowStart.begin(slot, nowMs, (other) => working.has(other));
      working.add(slot);
      return share;
    };
    expect(begin(0, 0)).toBe(1);
    expect(begin(1, 30_000)).toBeCloseTo(0.2);
    const { shares } = slowStart.step(45_000, (slot) => working.has(slot));
    expect(shares.map(({ ramp }) => ramp)).toEqual([1, 0.25 / 0.75]);
  });

  it('measures endpoints of a level by their own level, and backups by backups', () => {
    const [a, b, c] = endpoints as [(typeof endpoints)[0], (typeof endpoints)[0], (typeof endpoints)[0]];
    const slowStart = new SlowStart([a, { ...b, level: 1 }, { ...c, backup: true }], settings);
    expect([0, 1, 2].map((slot) => slowStart.begin(slot, 0, allWork))).toEqual([1, 1, 1]);
  });

  it('goes on in another plan with the endpoints that are in both', () => {
    const before = new SlowStart(endpoints, settings);
    before.begin(0, 0, allWork);
    before.begin(1, 0, allWork);
    const after = new SlowStart(endpoints.slice(1), { ...settings, windowMs: 120_000 }, before);
    expect([after.progress(0, 30_000), after.progress(1, 30_000)]).toEqual([null, 0.25]);
    after.forget(1);
    expect(after.isRamping).toBe(false);
  });
});
