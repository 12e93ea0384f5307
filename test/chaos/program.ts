/** Which scenario is played when: drawn from the seed, so that the same seed plays the same. */
import { seededRng } from '../../src/core/rng.js';
import type { Scenario } from './scenario.js';

/** `npm test`: faults last as short as still shows what comes of them, and nothing of their times is drawn. */
export const SHORT_PACE = 0.6;

/** Pure. @returns all of them, each once, in an order that the seed and the round decide (Fisher-Yates) */
export function shuffled(scenarios: readonly Scenario[], seed: number, round: number): readonly Scenario[] {
  const rng = seededRng(seed * 7_919 + round);
  const drawn = [...scenarios];
  for (let last = drawn.length - 1; last > 0; last--) {
    const other = rng.below(last + 1);
    // Both are places of the list.
    [drawn[last], drawn[other]] = [drawn[other] as Scenario, drawn[last] as Scenario];
  }
  return drawn;
}

/** @throws Error that names what to do when a scenario is not known */
export function chosen(all: readonly Scenario[], names: readonly string[]): readonly Scenario[] {
  for (const name of names)
    if (!all.some((one) => one.name === name))
      throw new Error(`there is no scenario "${name}": --list shows those there are`);
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}
