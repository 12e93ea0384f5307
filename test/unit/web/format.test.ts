/** How figures read. */
import { describe, expect, it } from 'vitest';
import {
  bytesText,
  countOf,
  countText,
  durationText,
  latencyText,
  listText,
  NOTHING,
  percentText,
  rateText,
} from '../../../web/format.js';

describe('countText', () => {
  it.each([
    [0, '0'],
    [9_999, '9,999'],
    [10_000, '10k'],
    [12_345, '12.3k'],
    [999_999, '1M'],
    [4_560_000, '4.56M'],
    [3.2e9, '3.2G'],
    [Number.MAX_SAFE_INTEGER, '9.01P'],
    [null, NOTHING],
    [Number.NaN, NOTHING],
    [Number.POSITIVE_INFINITY, NOTHING],
  ])('writes %d as %s', (count, text) => {
    expect(countText(count)).toBe(text);
  });
});

describe('rateText', () => {
  it.each([
    [0, '0'],
    [0.04, '<0.1'],
    [0.44, '0.4'],
    [99.96, '100'],
    [1_234.4, '1,234'],
    [45_600, '45.6k'],
    [null, NOTHING],
  ])('writes %d as %s', (rate, text) => {
    expect(rateText(rate)).toBe(text);
  });
});

describe('bytesText', () => {
  it.each([
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_536, '1.5 KiB'],
    [1_048_575, '1 MiB'],
    [null, NOTHING],
  ])('writes %d as %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });
});

describe('latencyText', () => {
  it.each([
    [0, '0 ms'],
    [0.042, '0.04 ms'],
    [0.997, '1.0 ms'],
    [9.96, '10 ms'],
    [999.6, '1 s'],
    [1_250, '1.25 s'],
    [125_000, '2 min 5 s'],
    [null, NOTHING],
    [undefined, NOTHING],
  ])('writes %d as %s', (ms, text) => {
    expect(latencyText(ms)).toBe(text);
  });
});

describe('percentText', () => {
  it.each([
    [0, '0 %'],
    [0.0004, '<0.1 %'],
    [0.0042, '0.4 %'],
    [0.12, '12 %'],
    [0.999, '>99 %'],
    [1, '100 %'],
    [null, NOTHING],
  ])('writes %d as %s', (share, text) => {
    expect(percentText(share)).toBe(text);
  });
});

describe('durationText', () => {
  it.each([
    [-5, '0 s'],
    [45_900, '45 s'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
    [7_200_000, '2 h'],
    [273_600_000, '3 d 4 h'],
  ])('writes %d as %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});

describe('words', () => {
  it('have a plural', () => {
    expect([countOf(1, 'endpoint'), countOf(0, 'endpoint')]).toEqual(['1 endpoint', '0 endpoints']);
    expect(countOf(2, 'request or session', 'requests and sessions')).toBe('2 requests and sessions');
  });

  it('are listed as people do', () => {
    expect([listText([]), listText(['a']), listText(['a', 'b']), listText(['a', 'b', 'c'])]).toEqual([
      '',
      'a',
      'a and b',
      'a, b and c',
    ]);
  });
});
