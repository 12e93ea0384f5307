/** Micro benches: how budgets are read from comments and found for a bench, and which code is timed. */
import { describe, expect, it } from 'vitest';
import { budgetOf, budgetsIn, unusedBudgets } from '../../../scripts/bench-micro/budgets.mjs';
import { compiledPathOf } from '../../../scripts/bench-micro/compiled-sources.mjs';

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

describe('what a bench imports', () => {
  it.each([
    ['../../../src/board/board.js', '/here/bench/micro/board/claims.bench.ts', '/here/dist/board/board.js'],
    ['../../src/core/tick.ts', '/here/test/unit/made.ts', '/here/dist/core/tick.js'],
    ['./made.js', '/here/bench/micro/board/claims.bench.ts', null],
    ['../../../test/src/made.js', '/here/bench/micro/board/claims.bench.ts', null],
    ['vitest', '/here/bench/micro/board/claims.bench.ts', null],
    ['/here/bench/micro/board/claims.bench.ts', undefined, null],
  ])('%s from %s is %s', (specifier, importer, expected) => {
    expect(compiledPathOf('/here', specifier, importer)).toBe(expected);
  });

  it('is found from a root that ends in a slash, too', () => {
    expect(compiledPathOf('/here/', '../src/cli/main.js', '/here/bench/made.ts')).toBe('/here/dist/cli/main.js');
  });
});
