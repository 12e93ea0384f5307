/**
 * Budgets of micro benches: comments beside them, `// budget: 250 ns: name of the bench`, in which `*` stands for any text. The name
 * of a vitest bench is `group > bench`. Pure.
 */

/** @typedef {{ ns: number, pattern: string }} Budget */

/** Every budget in the text of a source file. @param {string} source @returns {Budget[]} */
export function budgetsIn(source) {
  return [...source.matchAll(/^\s*\/\/ budget: ([\d.]+) ns: (.+)$/gm)].map(([, ns, pattern]) => ({
    ns: Number(ns),
    pattern: pattern.trim(),
  }));
}

/** The first budget that a bench's name fits. @param {readonly Budget[]} budgets @param {string} name @returns {number | null} ns */
export function budgetOf(budgets, name) {
  return budgets.find(({ pattern }) => fits(pattern, name))?.ns ?? null;
}

function fits(pattern, name) {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

/** Budgets that no bench has: a bench was renamed, or is gone. @param {readonly Budget[]} budgets @param {readonly string[]} names */
export function unusedBudgets(budgets, names) {
  return budgets.filter(({ pattern }) => !names.some((name) => fits(pattern, name)));
}
