/** Whole seconds of socket options. */
import { describe, expect, it } from 'vitest';
import { wholeSeconds } from '../../../src/core/whole-seconds.js';

describe('wholeSeconds', () => {
  it.each([
    [0, 0],
    [1, 1],
    [999, 1],
    [1_000, 1],
    [1_001, 2],
    [60_000, 60],
  ])('%i ms are %i s', (ms, seconds) => {
    expect(wholeSeconds(ms)).toBe(seconds);
  });
});
