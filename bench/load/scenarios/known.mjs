/** All scenarios: every file of this folder that exports one. */
import { readdirSync } from 'node:fs';

const here = new URL('./', import.meta.url);

/** Reads them. @returns {Promise<import('./scenario.mjs').Scenario[]>} by name */
export async function allScenarios() {
  const files = readdirSync(here).filter((file) => /^l[47]-.*\.mjs$/.test(file));
  const modules = await Promise.all(files.sort().map((file) => import(new URL(file, here))));
  return modules.map(({ SCENARIO: scenario }, index) => {
    if (`${scenario.name}.mjs` !== files[index])
      throw new Error(`${files[index]} holds a scenario of another name, ${scenario.name}`);
    return scenario;
  });
}

/** Those of a set. @param {readonly import('./scenario.mjs').Scenario[]} scenarios @param {string} set 'all' or a set's name */
export function scenariosOf(scenarios, set) {
  return set === 'all' ? [...scenarios] : scenarios.filter(({ sets }) => sets.includes(set));
}
