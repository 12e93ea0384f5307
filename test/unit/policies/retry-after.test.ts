/** Retry-After as seconds and as dates, and what is neither. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asksToWait, retryAfterSeconds } from '../../../src/policies/retry-after.js';

/** Sun, 06 Nov 1994 08:49:37 GMT: the date of RFC 9110 5.6.7. */
const AT_MS = 784_111_777_000;

describe('Retry-After', () => {
  it.each([
    ['120', 120],
    [' 0 ', 0],
    ['00120', 120],
    ['99999999999999999999', 1e20],
  ])('counts seconds: %j', (value, seconds) => {
    expect(retryAfterSeconds(value, AT_MS)).toBe(seconds);
  });

  it.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    'may be a date in each form of HTTP: %s',
    (value) => {
      expect(retryAfterSeconds(value, AT_MS - 30_000)).toBe(30);
      expect(retryAfterSeconds(value, AT_MS - 1)).toBe(1);
      expect(retryAfterSeconds(value, AT_MS)).toBe(0);
      expect(retryAfterSeconds(value, AT_MS + 3_600_000)).toBe(0);
    },
  );

  it('takes a year of two digits for the nearest one that is at most 50 years ahead', () => {
    const at2026 = Date.UTC(2026, 10, 23);
    const secondsOf = (year: number) => (Date.UTC(year, 10, 23) - at2026) / 1_000;
    expect(retryAfterSeconds('Monday, 23-Nov-27 00:00:00 GMT', at2026)).toBe(secondsOf(2027));
    expect(retryAfterSeconds('Monday, 23-Nov-76 00:00:00 GMT', at2026)).toBe(secondsOf(2076));
    expect(retryAfterSeconds('Monday, 23-Nov-77 00:00:00 GMT', at2026)).toBe(0);
  });

  it.each([
    '',
    '-1',
    '+5',
    '1.5',
    '5s',
    'soon',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 CET',
    'Sun, 31 Feb 2094 08:49:37 GMT',
    'Sun, 00 Nov 2094 08:49:37 GMT',
    'Sun, 06 Nov 2094 24:00:00 GMT',
    'Sun, 06 Xyz 2094 08:49:37 GMT',
    `Sun, 06 Nov 2094 08:49:37 GMT${' '.repeat(64)}`,
    '1'.repeat(65),
  ])('is nothing where it is neither: %j', (value) => {
    expect(retryAfterSeconds(value, AT_MS)).toBe(0);
  });

  it('agrees with the dates of JavaScript', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
        const value = new Date(seconds * 1_000).toUTCString();
        expect(retryAfterSeconds(value, AT_MS)).toBe(Math.max(0, seconds - AT_MS / 1_000));
      }),
    );
  });

  it('is a number for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (value) => {
        expect(retryAfterSeconds(value, AT_MS)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('counts with 429 and 503 only', () => {
    expect([200, 301, 429, 500, 503, 504].filter(asksToWait)).toEqual([429, 503]);
  });
});
