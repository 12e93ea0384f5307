/** What a run of vitest came to, read from its JSON report. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { ROOT } from './repository.mjs';

const firstLine = (text = '') => text.split('\n', 1)[0];

/**
 * @typedef {object} FailedTest
 * @property {string} file absolute
 * @property {string} line for people: file, test, first line of the failure
 *
 * @typedef {object} Outcome
 * @property {number} passed
 * @property {number} failed at least 1 where the run ended badly without a failed test (an error outside of tests)
 * @property {number} skipped
 * @property {FailedTest[]} failures files that could not even be loaded are among them
 * @property {string[]} goodFiles absolute; those without a failure
 */

/**
 * @param {string} report where vitest has left it
 * @param {boolean} isGood its exit code was 0
 * @returns {Outcome} one failure where there is no report
 */
export function vitestOutcome(report, isGood) {
  try {
    return outcomeOf(JSON.parse(readFileSync(report, 'utf8')), isGood);
  } catch {
    return { passed: 0, failed: 1, skipped: 0, failures: [], goodFiles: [] };
  }
}

function outcomeOf({ numPassedTests, numPendingTests, numTodoTests, testResults }, isGood) {
  const failures = testResults.flatMap(failuresOf);
  return {
    passed: numPassedTests,
    failed: Math.max(failures.length, isGood ? 0 : 1),
    skipped: numPendingTests + numTodoTests,
    failures,
    goodFiles: testResults.filter((file) => file.status === 'passed').map((file) => file.name),
  };
}

function failuresOf({ name: file, status, message, assertionResults }) {
  const path = relative(ROOT, file);
  if (status === 'failed' && assertionResults.length === 0) return [{ file, line: `${path}: ${firstLine(message)}` }];
  return assertionResults
    .filter((test) => test.status === 'failed')
    .map((test) => ({ file, line: `${path}: ${test.fullName}: ${firstLine(test.failureMessages[0])}` }));
}

/**
 * Puts a second run of files with failures into the first one: what passed there has passed, and is named. A second run that ended badly
 * for an error outside of its tests says nothing good of any.
 *
 * @param {Outcome} first
 * @param {Outcome} second
 * @returns {Outcome & { unsteady: string[] }}
 */
export function withSecondTry(first, second) {
  const goodFiles = second.failed === second.failures.length ? second.goodFiles : [];
  const isSteady = ({ file }) => !goodFiles.includes(file);
  const failures = first.failures.filter(isSteady);
  const unsteady = first.failures.filter((failure) => !isSteady(failure)).map(({ line }) => line);
  return {
    ...first,
    passed: first.passed + unsteady.length,
    failed: first.failed - unsteady.length,
    failures,
    unsteady,
  };
}
