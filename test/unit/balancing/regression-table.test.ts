/** The regressions find what there is to find, and survive whatever they are fed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FEATURES, RegressionTable, SAMPLES_KEPT } from '../../../src/balancing/regression-table.js';
import { seededRng } from '../../../src/core/rng.js';

const RIDGE = [0.001, 4, 4, 64, 64];

/** Gaussian elimination with pivoting: the naive way to solve a system. */
function solved(matrix: number[][], right: number[]): number[] {
  const rows = matrix.map((row, index) => [...row, right[index]!]);
  for (let column = 0; column < rows.length; column++) {
    const pivot = rows
      .slice(column)
      .reduce((best, row) => (Math.abs(row[column]!) > Math.abs(best[column]!) ? row : best));
    rows.splice(rows.indexOf(pivot), 1);
    rows.splice(column, 0, pivot);
    for (const row of rows) {
      if (row === pivot) continue;
      const factor = row[column]! / pivot[column]!;
      for (let at = column; at < row.length; at++) row[at]! -= factor * pivot[at]!;
    }
  }
  return rows.map((row, index) => row[rows.length]! / row[index]!);
}

const coefficients = (table: RegressionTable, row = 0): number[] =>
  Array.from({ length: FEATURES }, (_, feature) => {
    table.lookUp(row, feature);
    return table.found[0]!;
  });

const feature = fc.double({ min: -4, max: 20, noNaN: true });
const sample = fc.tuple(fc.tuple(feature, feature, feature, feature), fc.double({ min: -24, max: 24, noNaN: true }));

describe('regression table', () => {
  it('finds the coefficients of noisy samples', () => {
    const table = new RegressionTable(1, RIDGE);
    const rng = seededRng(7);
    const real = [12, 0.7, -1.5, 0, 0];
    for (let count = 0; count < 4_000; count++) {
      const x = Float64Array.of(1, rng.below(100) / 20, rng.below(100) / 50, 0, 1);
      const noise = (rng.below(1_000) - 500) / 1_000;
      table.learn(0, x, Float64Array.of(x.reduce((sum, value, index) => sum + value * real[index]!, noise)));
    }
    const [level, load, size, sine, cosine] = coefficients(table);
    // The level and a cosine that never varies share what they cannot tell apart.
    expect(level! + cosine!).toBeCloseTo(12, 1);
    expect([load, size, sine].map((value) => Math.round(value! * 20) / 20)).toEqual([0.7, -1.5, 0]);
  });

  it('is a ridge regression with forgetting (naive reference: the sums, solved by elimination)', () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 40 }), (samples) => {
        const table = new RegressionTable(1, RIDGE);
        const kept = 1 - 1 / SAMPLES_KEPT;
        const matrix = RIDGE.map((ridge, i) => RIDGE.map((_, j) => (i === j ? ridge : 0)));
        let right = RIDGE.map(() => 0);
        for (const [rest, observed] of samples) {
          const x = [1, ...rest];
          table.learn(0, Float64Array.from(x), Float64Array.of(observed));
          for (const [i, row] of matrix.entries()) {
            for (const j of row.keys())
              row[j] = kept * row[j]! + x[i]! * x[j]! + (i === j ? (1 - kept) * RIDGE[i]! : 0);
          }
          right = right.map((sum, i) => kept * sum + x[i]! * observed);
        }
        const expected = solved(matrix, right);
        coefficients(table).forEach((value, index) => {
          expect(Math.abs(value - expected[index]!)).toBeLessThan(1e-5 * (1 + Math.abs(expected[index]!)));
        });
      }),
      { numRuns: 100 },
    );
  });

  it('leaves a coefficient alone whose feature does not vary, however long that lasts', () => {
    const table = new RegressionTable(1, RIDGE);
    for (let count = 0; count < 200_000; count++) table.learn(0, Float64Array.of(1, 0, 0, 0, 0), Float64Array.of(10));
    expect(coefficients(table).map((value) => Math.round(value * 1e6) / 1e6)).toEqual([10, 0, 0, 0, 0]);
    table.learn(0, Float64Array.of(1, 5, 0, 0, 0), Float64Array.of(20));
    expect(coefficients(table).every((value) => Math.abs(value) < 11)).toBe(true);
  });

  it('forgets what was long ago', () => {
    const table = new RegressionTable(1, RIDGE);
    const x = Float64Array.of(1, 0, 0, 0, 0);
    for (let count = 0; count < 2 * SAMPLES_KEPT; count++) table.learn(0, x, Float64Array.of(10));
    for (let count = 0; count < 2 * SAMPLES_KEPT; count++) table.learn(0, x, Float64Array.of(20));
    table.predict(0, x);
    expect(table.found[0]).toBeGreaterThan(18.5);
  });

  it('keeps rows apart', () => {
    const table = new RegressionTable(2, RIDGE);
    for (let count = 0; count < 20; count++) table.learn(1, Float64Array.of(1, 1, 1, 1, 1), Float64Array.of(9));
    expect([table.samples(0), table.samples(1), ...coefficients(table, 0)]).toEqual([0, 20, 0, 0, 0, 0, 0]);
  });

  it('never has a coefficient that is no number, whatever it learns', () => {
    const wild = fc.oneof(
      fc.double(),
      fc.constantFrom(Number.NaN, Infinity, -Infinity, 1e308, -1e308, 5e-324, 0, -0, 1e150),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(wild, wild, wild, wild, wild), { maxLength: 200 }), (samples) => {
        const table = new RegressionTable(1, RIDGE);
        for (const [a, b, c, d, observed] of samples) {
          table.learn(0, Float64Array.of(1, a, b, c, d), Float64Array.of(observed));
          expect(coefficients(table).every(Number.isFinite)).toBe(true);
        }
        // And is of use again afterwards: the sums of what spoilt it are gone.
        if (samples.flat().every((value) => Number.isFinite(value) && Math.abs(value) < 1e6)) return;
        for (let count = 0; count < 200; count++) table.learn(0, Float64Array.of(1, 0, 0, 0, 0), Float64Array.of(3));
        expect(coefficients(table).every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
