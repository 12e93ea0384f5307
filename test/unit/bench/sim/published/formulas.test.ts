/** Formulas of the papers at points that are known otherwise. */
import { describe, expect, it } from 'vitest';
import {
  highestOfOneChoice,
  loadsOfChoices,
  supermarketTime,
  twoChoicesByOldBoard,
} from '../../../../../bench/sim/published/formulas.js';

describe('the supermarket model', () => {
  it('is M/M/1 with one choice', () => {
    expect(supermarketTime(0.9, 1)).toBeCloseTo(10, 9);
  });

  it('is the sum of the paper with two and three', () => {
    // 1 + rho^2 + rho^6 + rho^14 + … and 1 + rho^3 + rho^12 + …
    expect(supermarketTime(0.5, 2)).toBeCloseTo(1 + 0.5 ** 2 + 0.5 ** 6 + 0.5 ** 14, 6);
    expect(supermarketTime(0.5, 3)).toBeCloseTo(1 + 0.5 ** 3 + 0.5 ** 12, 6);
  });
});

describe('balls into bins', () => {
  it('has a highest load near ln n / ln ln n with one choice', () => {
    expect(highestOfOneChoice(1)).toBeCloseTo(1, 6);
    expect(highestOfOneChoice(1_000_000)).toBeGreaterThan(8);
    expect(highestOfOneChoice(1_000_000)).toBeLessThan(10);
  });

  it('leaves 1/e of the bins empty with one choice, and 1 - tanh 1 with two', () => {
    expect(loadsOfChoices(1)[0]).toBeCloseTo(1 - Math.exp(-1), 4);
    expect(loadsOfChoices(2)[0]).toBeCloseTo(Math.tanh(1), 4);
  });
});

describe('two choices by an old board', () => {
  it('come to the supermarket model as the board gets fresh', () => {
    expect(twoChoicesByOldBoard(0.5, 0.02) / supermarketTime(0.5, 2)).toBeCloseTo(1, 1);
  });

  it('get worse with age', () => {
    expect(twoChoicesByOldBoard(0.8, 5)).toBeGreaterThan(twoChoicesByOldBoard(0.8, 0.5));
  });
});
