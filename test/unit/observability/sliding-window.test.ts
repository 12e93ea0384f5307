/** Differences of counters over a window. */
import { describe, expect, it } from 'vitest';
import { SlidingWindow } from '../../../src/observability/sliding-window.js';

function windowOf(readings: readonly [atMs: number, counts: Record<string, number[]>][]) {
  const window = new SlidingWindow<string>(10_000);
  for (const [atMs, counts] of readings) window.add(atMs, new Map(Object.entries(counts)));
  return window;
}

describe('sliding window', () => {
  it('has no length and no growth with one reading', () => {
    const window = windowOf([[5, { a: [7] }]]);
    expect([window.spanMs, window.growth('a')]).toEqual([0, [0]]);
  });

  it('tells the growth since the reading that is one window old, with a reading each second', () => {
    const window = windowOf(Array.from({ length: 60 }, (_, second) => [second * 1_000, { a: [second ** 2, second] }]));
    expect(window.spanMs).toBe(10_000);
    expect(window.growth('a')).toEqual([59 ** 2 - 49 ** 2, 10]);
  });

  it('takes a series that has joined to have begun at 0', () => {
    const window = windowOf([
      [0, { a: [1] }],
      [1_000, { a: [2], b: [5] }],
    ]);
    expect([window.growth('a'), window.growth('b')]).toEqual([[1], [5]]);
  });

  it('knows nothing of a series that is gone', () => {
    const window = windowOf([
      [0, { a: [1] }],
      [1_000, {}],
    ]);
    expect(window.growth('a')).toBeUndefined();
  });

  it('spans the pause when readings were late, with the two that there are', () => {
    const window = windowOf([
      [0, { a: [1] }],
      [1_000, { a: [2] }],
      [60_000, { a: [9] }],
    ]);
    expect([window.spanMs, window.growth('a')]).toEqual([59_000, [7]]);
  });
});
