/**
 * Runs all tests: TypeScript (vitest), then C++ without sanitizers. Both run even when the first fails. With arguments
 * they go to vitest, and only vitest runs: `npm test -- test/unit/board`.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { reportSuite } from './report.mjs';
import { RESULTS, ROOT } from './repository.mjs';

const VITEST_REPORT = `${RESULTS}/vitest-report.json`;

/** What users run, and what tests start that run sluice as a process of its own: twice as fast to start as dist/. */
const SLUICE_MAIN = process.env.SLUICE_MAIN ?? `${ROOT}/bundle/cli/main.js`;

function run(args) {
  const env = { ...process.env, SLUICE_MAIN };
  return spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env }).status === 0;
}

const firstLine = (text = '') => text.split('\n', 1)[0];

/** Counts from the JSON report, and what failed; a run that ended badly without a failed test (an error outside of tests) counts as one failure. */
function vitestCounts(isGood) {
  try {
    const report = JSON.parse(readFileSync(VITEST_REPORT, 'utf8'));
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = report;
    // A file that could not even be loaded has no tests, and is a failure all the same.
    const brokenFiles = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
    const failed = numFailedTests + brokenFiles.length;
    const skipped = numPendingTests + numTodoTests;
    const names = testResults.flatMap((file) => [
      ...file.assertionResults
        .filter((test) => test.status === 'failed')
        .map((test) => `${relative(ROOT, file.name)}: ${test.fullName}: ${firstLine(test.failureMessages[0])}`),
      ...(brokenFiles.includes(file) ? [`${relative(ROOT, file.name)}: ${firstLine(file.message)}`] : []),
    ]);
    return { passed: numPassedTests, failed: Math.max(failed, isGood ? 0 : 1), skipped, names };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

const chosen = process.argv.slice(2);
rmSync(VITEST_REPORT, { force: true });
const isVitestGood = run([`${ROOT}/node_modules/vitest/vitest.mjs`, 'run', ...chosen]);
const isNativeGood = chosen.length > 0 || run([`${ROOT}/scripts/native-tests.mjs`, 'plain']);
reportSuite('TypeScript tests', vitestCounts(isVitestGood));
process.exitCode = isVitestGood && isNativeGood ? 0 : 1;
