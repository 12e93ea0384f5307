/** Requests come as often as they should. */
import { describe, expect, it } from 'vitest';
import { type Arrivals, burst, poisson, poissonOf, steady } from '../../../../../bench/sim/model/arrivals.js';
import { seededRng } from '../../../../../src/core/rng.js';

function momentsOf(arrivals: Arrivals, durationMs: number): number[] {
  const rng = seededRng(5);
  const moments: number[] = [];
  for (let nowMs = arrivals(rng, 0); nowMs < durationMs; nowMs += arrivals(rng, nowMs)) moments.push(nowMs);
  return moments;
}

describe('arrivals', () => {
  it('are evenly spaced when steady', () => {
    expect(momentsOf(steady(100), 51)).toEqual([10, 20, 30, 40, 50]);
  });

  it('have the rate of the Poisson process, and its variance', () => {
    const moments = momentsOf(poisson(200), 200_000);
    expect(moments.length / 200).toBeCloseTo(200, -1);
    const seconds = new Array<number>(200).fill(0);
    for (const atMs of moments) seconds[Math.floor(atMs / 1_000)]! += 1;
    const variance = seconds.reduce((sum, count) => sum + (count - 200) ** 2, 0) / 200;
    expect(variance / 200).toBeGreaterThan(0.7);
    expect(variance / 200).toBeLessThan(1.3);
  });

  it('are ten times as many in a burst, and only there', () => {
    const moments = momentsOf(burst(100, 10, 4_000, 6_000), 10_000);
    const during = moments.filter((atMs) => atMs >= 4_000 && atMs < 6_000).length;
    expect(during / 2_000).toBeCloseTo(1, 1);
    expect((moments.length - during) / 800).toBeCloseTo(1, 0);
  });

  it('follow a rate that changes', () => {
    const moments = momentsOf(
      poissonOf((ms) => (ms < 5_000 ? 0 : 400), 400),
      10_000,
    );
    expect(moments[0]).toBeGreaterThanOrEqual(5_000);
    expect(moments.length / 2_000).toBeCloseTo(1, 1);
  });
});
