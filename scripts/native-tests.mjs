/**
 * Builds and runs the C++ tests of native/test, without Node: `plain`, under address and undefined-behaviour
 * sanitizers (`asan`) or under the thread sanitizer (`tsan`).
 *
 * Usage: node scripts/native-tests.mjs [plain | asan | tsan] [part of a test file's name]
 */
import { spawn } from 'node:child_process';
import { buildTests, CompileError, MODES, missingPackages } from './native-tests/build.mjs';
import { reportSuite } from './report.mjs';
import { ROOT } from './repository.mjs';
import { programPath } from './set-up/toolchain.mjs';

/** A test program that takes longer hangs: the slowest needs seconds under a sanitizer. */
const PROGRAM_TIMEOUT_MS = 120_000;

const SANITIZER_ENV = {
  ASAN_OPTIONS: 'detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
  TSAN_OPTIONS: 'second_deadlock_stack=1',
};

/** clang++ where it is there: its sanitizers come with it; g++'s are there wherever g++ is. */
function compilerFor(mode) {
  if (process.env.CXX) return process.env.CXX;
  return mode !== 'plain' && programPath('clang++') ? 'clang++' : 'g++';
}

async function runProgram({ test, program }) {
  const startedAt = Date.now();
  const { output, ending } = await new Promise((resolve) => {
    const child = spawn(program, [], {
      cwd: ROOT,
      env: { ...process.env, ...SANITIZER_ENV },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, PROGRAM_TIMEOUT_MS);
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (text += chunk));
    child.once('error', (error) => resolve({ output: error.message, ending: 'could not be started' }));
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const how = isLate
        ? `hung for ${PROGRAM_TIMEOUT_MS / 1000} s`
        : signal
          ? `was ended by ${signal}`
          : `ended with ${code}`;
      resolve({ output: text, ending: code === 0 ? '' : how });
    });
  });
  const counted = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
  const passed = Number(counted?.[1] ?? 0);
  // A program that crashed or counted nothing has failed, whatever it printed before.
  const failed = Math.max(Number(counted?.[2] ?? 0), ending === '' && passed > 0 ? 0 : 1);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(2);
  if (failed === 0) {
    console.log(`  ok      ${test}: ${passed} tests in ${seconds} s`);
  } else {
    console.log(`  FAILED  ${test}: ${ending || 'ran no test'}`);
    console.log(output.trimEnd().replace(/^/gm, '    | '));
  }
  const names = failed === 0 ? [] : [`native/test/${test}: ${ending || 'ran no test'}`];
  return { passed, failed, names };
}

async function main([mode = 'plain', wanted = '']) {
  if (!(mode in MODES)) throw new CompileError(`no mode "${mode}": there are ${Object.keys(MODES).join(', ')}`);
  const compiler = compilerFor(mode);
  const missing = await missingPackages(compiler);
  if (missing.length > 0) {
    console.log(
      `C++ tests (${mode}): skipped, ${compiler} finds no headers of OpenSSL or nghttp2 here: install ${missing.join(' and ')} (names of Debian)`,
    );
    return { passed: 0, failed: 0 };
  }
  console.log(`C++ tests (${mode}): compiling with ${compiler} …`);
  const programs = await buildTests(mode, compiler);
  let passed = 0;
  let failed = 0;
  const names = [];
  for (const program of programs.filter(({ test }) => test.includes(wanted))) {
    const counts = await runProgram(program);
    passed += counts.passed;
    failed += counts.failed;
    names.push(...counts.names);
  }
  return { passed, failed: passed + failed === 0 ? 1 : failed, names };
}

const args = process.argv.slice(2);
const suite = `C++ tests (${args[0] ?? 'plain'})`;
try {
  const counts = await main(args);
  reportSuite(suite, counts);
  process.exitCode = counts.failed === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof CompileError)) throw error;
  console.log(error.message);
  reportSuite(suite, { passed: 0, failed: 1 });
  process.exitCode = 1;
}
