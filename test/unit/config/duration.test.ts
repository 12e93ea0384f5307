/** Durations: units, refusals with hints, and that writing and reading agree. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DURATION_PATTERN, formatDuration, parseDuration } from '../../../src/config/duration.js';

describe('duration', () => {
  it.each([
    ['500ms', 500],
    ['1s', 1_000],
    ['1.5s', 1_500],
    ['1.001s', 1_001],
    ['0.1s', 100],
    ['10s', 10_000],
    ['5m', 300_000],
    ['0.5m', 30_000],
    ['1h', 3_600_000],
    ['0s', 0],
    ['0ms', 0],
    ['007s', 7_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: ms });
  });

  it.each([
    ['10', 'add a unit: 10s for seconds or 10ms for milliseconds'],
    ['1.5', 'add a unit: 1.5s for seconds or 1.5ms for milliseconds'],
    ['-10', 'a duration is not negative'],
    ['10 s', 'write 10s'],
    ['10S', 'write 10s'],
    ['10sec', 'write 10s'],
    ['10 seconds', 'write 10s'],
    ['5min', 'write 5m'],
    ['5 minutes', 'write 5m'],
    ['2hours', 'write 2h'],
    ['300 msec', 'write 300ms'],
    ['1d', 'days are written in hours: 24h'],
    ['3y', 'the units are ms, s, m and h'],
    ['10us', 'the units are ms, s, m and h'],
    ['', null],
    ['soon', null],
    ['-1s', null],
    ['1h30m', null],
    ['0.5ms', null],
    ['0.0001s', null],
    ['9999999999999999h', null],
    ['1e3s', null],
    ['10s\n', 'write 10s'],
  ])('refuses %j', (text, hint) => {
    expect(parseDuration(text)).toMatchObject({ ok: false, hint });
  });

  it.each([
    [0, '0s'],
    [1, '1ms'],
    [1_000, '1s'],
    [1_500, '1500ms'],
    [60_000, '1m'],
    [90_000, '90s'],
    [3_600_000, '1h'],
    [86_400_000, '24h'],
  ])('writes %i ms', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('is read back as it was written, and matches the pattern for editors', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 45 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toEqual({ ok: true, value: ms });
        expect(formatDuration(ms)).toMatch(new RegExp(DURATION_PATTERN));
      }),
    );
  });

  it('never throws, and reads nothing that the pattern for editors refuses', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d.]{0,6}[a-z ]{0,3}$/)), (text) => {
        if (parseDuration(text).ok) expect(text).toMatch(new RegExp(DURATION_PATTERN));
      }),
    );
  });
});
