/** Figures as people read them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countText, durationText, msText, plainText, shareText } from '../../../../src/cli/terminal/figures-text.js';

describe('countText', () => {
  it.each([
    [0, '0'],
    [0.04, '0'],
    [0.44, '0.4'],
    [9.96, '10'],
    [999, '999'],
    [9_999, '9999'],
    [10_000, '10k'],
    [123_456, '123k'],
    [999_999, '1M'],
    [5_600_000, '5.6M'],
  ])('writes %d as %s', (count, text) => expect(countText(count)).toBe(text));

  it('has at most 5 characters', () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 9e8, noNaN: true }), (count) => countText(count).length <= 5));
  });
});

describe('msText', () => {
  it.each([
    [null, '-'],
    [0, '0'],
    [0.05, '0.05'],
    [1.24, '1.2'],
    [120.4, '120'],
    [999.4, '999'],
    [999.6, '1s'],
    [12_345, '12s'],
  ])('writes %s as %s', (ms, text) => expect(msText(ms)).toBe(text));

  it('has at most 4 characters below 1000 s', () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 999_000, noNaN: true }), (ms) => msText(ms).length <= 4));
  });
});

describe('shareText', () => {
  it.each([
    [null, '-'],
    [0, '0%'],
    [0.0005, '<0.1%'],
    [0.004, '0.4%'],
    [0.125, '13%'],
    [1, '100%'],
  ])('writes %s as %s', (share, text) => expect(shareText(share)).toBe(text));
});

describe('durationText', () => {
  it.each([
    [0, '0 s'],
    [5_900, '5 s'],
    [185_000, '3 min 5 s'],
    [180_000, '3 min'],
    [7_380_000, '2 h 3 min'],
    [352_800_000, '4 d 2 h'],
  ])('writes %d ms as %s', (ms, text) => expect(durationText(ms)).toBe(text));
});

describe('plainText', () => {
  it('takes away what would steer the terminal', () => {
    expect(plainText('a\u001b[31mb\u009bc\nd')).toBe('a?[31mb?c?d');
  });
});
