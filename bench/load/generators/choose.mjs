/** Which generator loads a scenario. */
import { UsageError } from '../arguments.mjs';
import { autocannon } from './autocannon.mjs';
import { h2load } from './h2load.mjs';
import { openLoop } from './open-loop.mjs';
import { wrk } from './wrk.mjs';

/** All of them; the first that is here and can do a scenario is taken. */
export const GENERATORS = [openLoop, wrk, autocannon, h2load];

/**
 * Chooses.
 *
 * @param {import('../scenarios/scenario.mjs').Scenario} scenario @param {string} wanted a generator's name, or 'auto'
 * @returns {typeof wrk} a generator
 * @throws UsageError that says what is missing
 */
export function generatorFor(scenario, wanted) {
  const able = GENERATORS.filter((generator) => generator.canDo(scenario));
  if (able.length === 0)
    throw new UsageError(
      `no generator can do ${scenario.name}${scenario.ratePerSecond === null ? '' : ' at a fixed rate: only kept connections and requests without a body have one'}`,
    );
  if (wanted === 'auto' || scenario.ratePerSecond !== null) {
    const here = able.find((generator) => generator.isHere());
    if (here !== undefined) return here;
    throw new UsageError(
      `${scenario.name}: none of ${able.map(({ name }) => name).join(', ')} is here (${able.map(({ hint }) => hint).join('; ')})`,
    );
  }
  const chosen = GENERATORS.find(({ name }) => name === wanted);
  if (chosen === undefined)
    throw new UsageError(
      `no load generator ${wanted}: there are auto, ${GENERATORS.map(({ name }) => name).join(', ')}`,
    );
  if (!chosen.canDo(scenario))
    throw new UsageError(`${wanted} cannot do ${scenario.name}: take ${able.map(({ name }) => name).join(' or ')}`);
  if (!chosen.isHere()) throw new UsageError(`${wanted} is not installed: ${chosen.hint}`);
  return chosen;
}
