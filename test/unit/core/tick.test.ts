/** Ticks: milliseconds in one word, over the wrap. */
import { describe, expect, it } from 'vitest';
import { msBetween, NEVER, tickAfter, tickOf } from '../../../src/core/tick.js';

describe('tick', () => {
  it('is never NEVER', () => {
    for (const ms of [0, 0.4, 2 ** 32, 3 * 2 ** 32]) expect(tickOf(ms)).not.toBe(NEVER);
    expect(tickAfter(-1, 1)).not.toBe(NEVER);
  });

  it.each([1, 2 ** 31 - 50, 2 ** 32 - 50, 5e12])('measures time across the wrap (from %i ms)', (ms) => {
    expect(msBetween(tickOf(ms), tickOf(ms + 100))).toBe(100);
    expect(msBetween(tickOf(ms + 100), tickOf(ms))).toBe(-100);
    expect(tickAfter(tickOf(ms), 100)).toBe(tickOf(ms + 100));
  });
});
