/** Budgets of micro benches: how they are read from comments and found for a bench. */
import { describe, expect, it } from 'vitest';
import { budgetOf, budgetsIn, unusedBudgets } from '../../../scripts/bench-micro/budgets.mjs';

const SOURCE = `
// budget: 250 ns: *: pick > 8 endpoints
  // budget: 10.5 ns: counters (all)
// The budget: none, this is a sentence.
`;

describe('budgets', () => {
  it('are read from comments of their own', () => {
    expect(budgetsIn(SOURCE)).toEqual([
      { ns: 250, pattern: '*: pick > 8 endpoints' },
      { ns: 10.5, pattern: 'counters (all)' },
    ]);
  });

  it.each([
    ['least-conn: pick > 8 endpoints', 250],
    ['counters (all)', 10.5],
    ['least-conn: pick > 88 endpoints', null],
    ['counters Xall)', null],
  ])('belong to the benches whose name they fit: %s', (name, ns) => {
    expect(budgetOf(budgetsIn(SOURCE), name)).toBe(ns);
  });

  it('are told when no bench has them', () => {
    expect(unusedBudgets(budgetsIn(SOURCE), ['counters (all)'])).toEqual([
      { ns: 250, pattern: '*: pick > 8 endpoints' },
    ]);
  });
});
