/**
 * Runs all tests: TypeScript (vitest), then C++ without sanitizers. Both run even when the first fails. With arguments
 * they go to vitest, and only vitest runs: `npm test -- test/unit/board`.
 *
 * Many tests have real sockets, threads and deadlines, and two files at a time share the machine with each other: a few that fail get one
 * more try alone. What passes then is named in the report all the same.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { reportSuite } from './report.mjs';
import { RESULTS, ROOT } from './repository.mjs';
import { vitestOutcome, withSecondTry } from './vitest-outcome.mjs';

/** Where more fail, they do not fail by chance. */
const SECOND_TRIES = 4;

/** What users run, and what tests start that run sluice as a process of its own: twice as fast to start as dist/. */
const SLUICE_MAIN = process.env.SLUICE_MAIN ?? `${ROOT}/bundle/cli/main.js`;

function run(args) {
  const env = { ...process.env, SLUICE_MAIN };
  return spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env }).status === 0;
}

function runVitest(name, args) {
  const report = `${RESULTS}/${name}.json`;
  rmSync(report, { force: true });
  // The JSON is counted, the other report is for people.
  const reports = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const isGood = run([`${ROOT}/node_modules/vitest/vitest.mjs`, 'run', ...reports, ...args]);
  return vitestOutcome(report, isGood);
}

function runTypeScript(chosen) {
  const first = runVitest('vitest-report', chosen);
  const files = [...new Set(first.failures.map(({ file }) => file))];
  const isByChance = first.failures.length > 0 && first.failures.length <= SECOND_TRIES;
  if (chosen.length > 0 || !isByChance) return first;
  console.log(`once more, alone: ${first.failures.length} failed`);
  return withSecondTry(first, runVitest('vitest-second-report', ['--no-file-parallelism', ...files]));
}

const chosen = process.argv.slice(2);
const { passed, failed, skipped, failures, unsteady = [] } = runTypeScript(chosen);
const isNativeGood = chosen.length > 0 || run([`${ROOT}/scripts/native-tests.mjs`, 'plain']);
reportSuite('TypeScript tests', { passed, failed, skipped, names: failures.map(({ line }) => line), unsteady });
process.exitCode = failed === 0 && isNativeGood ? 0 : 1;
