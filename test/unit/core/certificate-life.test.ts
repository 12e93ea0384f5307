/** How long certificates count, at the edges of a day, of the warning and of the end. */
import { describe, expect, it } from 'vitest';
import { daysLeft, lifeOf, lifeText } from '../../../src/core/certificate-life.js';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const DAY = 86_400_000;

describe('the life of a certificate', () => {
  it.each([
    [31 * DAY, 'good', '31 days'],
    [30 * DAY + 1, 'good', '30 days'],
    [30 * DAY, 'ending', '30 days'],
    [2 * DAY - 1, 'ending', '1 day'],
    [DAY - 1, 'ending', 'ends today'],
    [1, 'ending', 'ends today'],
    [0, 'ended', 'ended'],
    [-5 * DAY, 'ended', 'ended'],
  ] as const)('that ends in %i ms is %s: %s', (leftMs, life, text) => {
    expect([lifeOf(NOW + leftMs, NOW), lifeText(NOW + leftMs, NOW)]).toEqual([life, text]);
  });

  it('has whole days', () => {
    expect([daysLeft(NOW + 1.9 * DAY, NOW), daysLeft(NOW - 1, NOW)]).toEqual([1, -1]);
  });
});
