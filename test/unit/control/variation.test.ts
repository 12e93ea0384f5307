/** How evenly work is spread. */
import { describe, expect, it } from 'vitest';
import { coefficientOfVariation } from '../../../src/control/variation.js';

const share = (attempts: number, more = {}) => ({ takesWork: true, level: 0, weight: 1, attempts, ...more });

describe('coefficient of variation', () => {
  it('is 0 when each has its share by weight', () => {
    expect(coefficientOfVariation([share(10), share(10), share(30, { weight: 3 })])).toBe(0);
  });

  it('is 1 when one of two has everything, and grows with their number', () => {
    expect(coefficientOfVariation([share(10), share(0)])).toBe(1);
    expect(coefficientOfVariation([share(10), share(0), share(0), share(0)])).toBeCloseTo(Math.sqrt(3), 12);
  });

  it('leaves out who takes no work, and those of later levels and backups while the first level works', () => {
    const out = share(0, { takesWork: false });
    const later = share(0, { level: 1 });
    const backup = share(0, { level: Number.POSITIVE_INFINITY });
    expect(coefficientOfVariation([share(5), share(5), out, later, backup, share(9, { weight: 0 })])).toBe(0);
    expect(coefficientOfVariation([out, share(3, { level: 1 }), share(1, { level: 1 })])).toBe(0.5);
  });

  it('is unknown for fewer than two, and without attempts', () => {
    expect(coefficientOfVariation([])).toBeNull();
    expect(coefficientOfVariation([share(5), share(5, { takesWork: false })])).toBeNull();
    expect(coefficientOfVariation([share(0), share(0)])).toBeNull();
  });
});
