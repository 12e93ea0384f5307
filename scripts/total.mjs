/**
 * Adds up the counts that a stage of .ci/run left behind and prints them as "PASSED FAILED", then a line for each test that
 * failed, or failed first.
 *
 * Usage: node scripts/total.mjs EXIT_CODE RESULT_FILE…
 */
import { readFileSync } from 'node:fs';

const [exitCode, ...files] = process.argv.slice(2);
let passed = 0;
let failed = 0;
const names = [];
for (const file of files) {
  try {
    const counts = JSON.parse(readFileSync(file, 'utf8'));
    passed += counts.passed;
    failed += counts.failed;
    names.push(
      ...counts.names.map((name) => `failed: ${counts.suite}: ${name}`),
      ...counts.unsteady.map((name) => `unsteady, passed in its second try: ${name}`),
    );
  } catch {
    // The suite ended before it could count: that is a failure of its own.
    failed += 1;
  }
}
// A stage that failed without a failed test (an error outside of tests, a signal) is one failure as well.
if (exitCode !== '0' && failed === 0) failed = 1;
console.log([`${passed} ${failed}`, ...names].join('\n'));
