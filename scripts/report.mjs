/** Counts of a suite that ran: kept for .ci/run, which adds them up. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { RESULTS } from './repository.mjs';

/**
 * Keeps a suite's counts and prints them. The line is worded so that nobody takes it for the run's total.
 *
 * @param {string} suite e.g. 'C++ tests (asan)'
 * @param {{ passed: number, failed: number, skipped?: number, names?: string[], unsteady?: string[] }} counts of tests, and
 *   what failed, a line each; unsteady is what passed in a second try only
 */
export function reportSuite(suite, { passed, failed, skipped = 0, names = [], unsteady = [] }) {
  mkdirSync(RESULTS, { recursive: true });
  // 'C++ tests (asan)' → c-tests-asan
  const name = suite
    .toLowerCase()
    .match(/[a-z0-9]+/g)
    ?.join('-');
  const file = `${RESULTS}/${name}.suite.json`;
  writeFileSync(file, `${JSON.stringify({ suite, passed, failed, skipped, names, unsteady })}\n`);
  const skippedText = skipped > 0 ? `, ${skipped} skipped` : '';
  for (const line of unsteady) process.stdout.write(`unsteady: ${line}\n`);
  process.stdout.write(`= ${suite} = ${passed} passed, ${failed} failed${skippedText}\n`);
}
