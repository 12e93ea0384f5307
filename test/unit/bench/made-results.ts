/** Made results of scenarios, for tests of what the laboratory makes of them. */
import type { Round, ScenarioResult } from '../../../bench/load/run.mjs';
import { scenario } from '../../../bench/load/scenarios/scenario.mjs';

/** A round of one candidate with nothing wrong; `facts` replaces parts of it. */
export function round(facts: Partial<Round> = {}): Round {
  return {
    atMs: 1_000,
    requests: 1_000,
    perSecond: 500,
    cpuUsPerRequest: 20,
    machineUsPerRequest: 50,
    latencyUs: [
      [10, 100],
      [50, 200],
      [90, 400],
      [99, 800],
      [99.9, 1_600],
      [100, 3_200],
    ],
    eachSecond: null,
    errors: 0,
    wrong: null,
    busyShare: { proxy: 1, load: 0.5 },
    idleBytes: null,
    ...facts,
  };
}

/** A result of a scenario. @param costs µs of CPU for each request, by candidate and round; NaN: no proxy */
export function resultOf(
  costs: Readonly<Record<string, readonly number[]>>,
  facts: Partial<Round> = {},
): ScenarioResult {
  return {
    scenario: scenario({ name: 'l7-made', summary: 'made for <tests>' }),
    generator: 'wrk',
    endpoint: 'nginx',
    durationS: 2,
    candidates: Object.entries(costs).map(([name, ofRounds]) => ({
      name,
      rounds: ofRounds.map((cpuUsPerRequest, index) => round({ cpuUsPerRequest, atMs: index * 2_000, ...facts })),
      checkedAnswers: 10,
      peakBytes: 1024 ** 2,
    })),
  };
}
