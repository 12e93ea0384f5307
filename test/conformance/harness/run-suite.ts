/** Runs many cases against one candidate, several at a time. */
import type { Candidate, RunningCandidate } from '../candidates/candidate.js';
import type { ConformanceCase } from '../case-format.js';
import { type Cuts, Lane, type Verdict } from './run-case.js';

/** One case, as it is or cut. */
export interface Job {
  readonly testCase: ConformanceCase;
  readonly cuts?: Cuts;
}

export interface SuiteSettings {
  /** Cases at the same time. */
  readonly lanes: number;
  /** How long each thing that must come is waited for. */
  readonly patienceMs: number;
}

/** @returns the verdict of each job, in its order */
export async function runSuite(
  candidate: Candidate,
  jobs: readonly Job[],
  { lanes: laneCount, patienceMs }: SuiteSettings,
): Promise<readonly Verdict[]> {
  const lanes = await Promise.all(Array.from({ length: laneCount }, (_, index) => Lane.open(index)));
  let running: RunningCandidate | undefined;
  try {
    running = await candidate.start(lanes.map(({ endpoint }) => endpoint.port));
    const { portOf } = running;
    const verdicts: Verdict[] = [];
    let next = 0;
    const work = async (lane: Lane): Promise<void> => {
      for (let index = next++; index < jobs.length; index = next++) {
        const { testCase, cuts } = jobs[index] as Job;
        verdicts[index] = await lane
          .run(testCase, portOf, patienceMs, cuts)
          .catch((error: unknown) => ({ differences: [`the case could not be run: ${error}`], isAllowed: false }));
      }
    };
    await Promise.all(lanes.map(work));
    return verdicts;
  } finally {
    await running?.stop();
    await Promise.all(lanes.map((lane) => lane.close()));
  }
}
