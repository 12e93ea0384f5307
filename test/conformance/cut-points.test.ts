/** Every case again with its bytes cut: the native front end's verdict does not depend on how a stream was split. SLUICE_LONG=1: at each position. */
import { describe, expect, it } from 'vitest';
import { sluice } from './candidates/sluice.js';
import { CASES } from './cases/all.js';
import { cutJobs } from './cut-points.js';
import { runSuite } from './harness/run-suite.js';
import { knownDeviation } from './known-deviations.js';

const IS_LONG = process.env['SLUICE_LONG'] === '1';
const SEED = Number(process.env['SLUICE_SEED'] ?? 1);

/** Mulberry32: the same cuts for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('the native front end', () => {
  it(
    `comes to the same verdict wherever the bytes are cut (seed ${SEED})`,
    async () => {
      const cases = CASES.filter(({ name }) => knownDeviation('native', name) === undefined);
      const jobs = cutJobs(cases, IS_LONG, seeded(SEED));
      const verdicts = await runSuite(sluice('native'), jobs, { lanes: 32, patienceMs: 8_000 });
      const wrong = verdicts.flatMap(({ differences, isAllowed }, index) => {
        const job = jobs[index];
        if (differences.length === 0 || isAllowed || job === undefined) return [];
        return [`${job.testCase.name}, cut ${JSON.stringify(job.cuts)}: ${differences.join('; ')}`];
      });
      expect(jobs.length).toBeGreaterThan(5 * cases.length);
      expect(wrong).toEqual([]);
    },
    IS_LONG ? 3_600_000 : 90_000,
  );
});
