/** Figures made of recorded requests. */
import { describe, expect, it } from 'vitest';
import { FAILED, mean, percentile, Recording, SERVED, variation } from '../../../../../bench/sim/model/recording.js';

function recorded(): Recording {
  const recording = new Recording();
  for (let at = 0; at < 10; at++) {
    recording.attempt(at * 100, at % 2, at < 4 ? 7 : 8);
    recording.end(at * 100, at * 100 + at + 1, at % 2, at === 9 ? FAILED : SERVED, 0);
  }
  return recording;
}

describe('a recording', () => {
  it('gives latencies of served requests of a stretch of time, sorted', () => {
    expect([...recorded().latencies(200, 500)]).toEqual([3, 4, 5]);
    expect(recorded().latencies().length).toBe(9);
  });

  it('gives shares of attempts', () => {
    expect(recorded().share(0)).toBe(0.5);
    expect(recorded().share(0, 0, 300)).toBeCloseTo(2 / 3);
    expect(recorded().share(0, 5_000, 6_000)).toBe(0);
    expect(recorded().attemptsOn(3)).toEqual([5, 5, 0]);
  });

  it('gives shares and percentiles by windows', () => {
    expect(recorded().shareOverTime(0, 0, 400, 200)).toEqual([
      [100, 0.5],
      [300, 0.5],
    ]);
    expect(recorded().latencyOverTime(100, 0, 1_200, 400)).toEqual([
      [200, 4],
      [600, 8],
      [1_000, 9],
    ]);
  });

  it('tells how many attempts met the endpoint where most of their key went', () => {
    // Key 7: two and two; key 8: three and three.
    expect(recorded().locality()).toBe(0.5);
  });

  it('counts endings', () => {
    expect([recorded().count(FAILED), recorded().count(FAILED, 0, 900), recorded().count(SERVED)]).toEqual([1, 0, 9]);
  });
});

describe('a percentile', () => {
  it.each([
    [50, 2],
    [75, 3],
    [76, 4],
    [100, 4],
    [0, 1],
  ])('of 1, 2, 3, 4 at %i is %i', (percent, value) => {
    expect(percentile(Float64Array.of(1, 2, 3, 4), percent)).toBe(value);
  });

  it('of nothing is no number', () => {
    expect(percentile(new Float64Array(), 50)).toBeNaN();
  });
});

describe('mean and variation', () => {
  it('are those of the schoolbook', () => {
    expect(mean([1, 2, 3])).toBe(2);
    expect(variation([10, 10])).toBe(0);
    expect(variation([5, 15])).toBe(0.5);
  });
});
