/** Compiles and links the C++ tests in one of three modes; objects are kept by the content they were made from. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { CACHE, ROOT } from '../repository.mjs';
import { filesUnder, fingerprintOf } from '../set-up/fingerprint.mjs';

/** Where the tested sources lie: everything of native/src that knows nothing of Node. */
const SOURCE_FOLDERS = readdirSync(`${ROOT}/native/src`)
  .filter((name) => name !== 'binding')
  .map((name) => `${ROOT}/native/src/${name}`);
const HOUR_MS = 3_600_000;
const TEST_FOLDER = `${ROOT}/native/test`;

const WARNINGS = ['-Wall', '-Wextra', '-Wshadow', '-Wconversion', '-Werror'];
const COMMON = ['-std=c++20', '-fno-exceptions', '-fno-rtti', '-pthread', '-g', ...WARNINGS];
const INCLUDES = [`-I${ROOT}/native/src`, `-I${ROOT}/native/test`];
/** What the node binary brings along for the addon. Kept though all references to them are weak. */
const LIBRARIES = ['-Wl,--no-as-needed', '-lssl', '-lcrypto', '-lnghttp2'];

/** Debian's packages with what tests are compiled and linked with, by a header of each. */
const LIBRARY_PACKAGES = { 'openssl/ssl.h': 'libssl-dev', 'nghttp2/nghttp2.h': 'libnghttp2-dev' };

/** Compiler flags of each mode; frames are kept so that a sanitizer's report names the callers. */
export const MODES = {
  plain: ['-O1'],
  asan: ['-O1', '-fno-omit-frame-pointer', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
  tsan: ['-O1', '-fno-omit-frame-pointer', '-fsanitize=thread'],
};

/** @returns {string[]} absolute paths of the test files */
export function testFiles() {
  return filesUnder([TEST_FOLDER], (path) => path.endsWith('_test.cc'));
}

/** @returns {Promise<string[]>} the packages (names of Debian) that tests need and this machine lacks */
export async function missingPackages(compiler) {
  const missing = [];
  for (const [header, name] of Object.entries(LIBRARY_PACKAGES)) {
    const { code } = await runToEnd([compiler, '-E', '-include', header, '-x', 'c++', '/dev/null', '-o', '/dev/null']);
    if (code !== 0) missing.push(name);
  }
  return missing;
}

/** The compiler's own output when it refused a file. */
export class CompileError extends Error {
  name = 'CompileError';
}

/**
 * Builds one program for each test file, each linked with all tested sources.
 *
 * @param {keyof typeof MODES} mode
 * @param {string} compiler
 * @returns {Promise<{ test: string, program: string }[]>} `test`: path from native/test without its ending
 * @throws CompileError
 */
export async function buildTests(mode, compiler) {
  const flags = [...COMMON, ...MODES[mode]];
  const folder = `${CACHE}/native-tests/${mode}`;
  mkdirSync(folder, { recursive: true });
  // One fingerprint over all headers: simple, and a header change rebuilds in seconds what it may touch.
  const headers = filesUnder([...SOURCE_FOLDERS, TEST_FOLDER], (path) => /\.(?:h|inc)$/.test(path));
  const shared = fingerprintOf(ROOT, headers, [flags, await versionOf(compiler)]);
  const compile = async (source) => {
    const object = `${folder}/${fingerprintOf(ROOT, [source], [shared])}.o`;
    await makeOnce(object, [compiler, ...flags, ...INCLUDES, '-c', source]);
    return object;
  };
  const sources = filesUnder(SOURCE_FOLDERS, (path) => path.endsWith('.cc'));
  const tests = testFiles();
  const objects = await inParallel([...sources, ...tests], compile);
  const tested = objects.slice(0, sources.length);
  const programs = await inParallel(tests, async (test, index) => {
    const parts = [objects[sources.length + index], ...tested];
    const program = `${folder}/${fingerprintOf(ROOT, [], parts)}.test`;
    await makeOnce(program, [compiler, ...flags, ...parts, ...LIBRARIES]);
    return { test: relative(TEST_FOLDER, test).replace(/\.cc$/, ''), program };
  });
  removeUnused(folder, [...objects, ...programs.map(({ program }) => program)]);
  return programs;
}

/** Makes a file unless it is there; it gets its name only when it is whole. */
async function makeOnce(path, command) {
  if (existsSync(path)) return utimesSync(path, new Date(), new Date());
  const draft = `${path}.${process.pid}.draft`;
  const { code, output } = await runToEnd([...command, '-o', draft]);
  if (code !== 0) throw new CompileError(output);
  renameSync(draft, path);
}

/** Removes what this build did not touch, but nothing younger than an hour: another run may be using it. */
function removeUnused(folder, used) {
  const kept = new Set(used);
  const isOld = (path) => Date.now() - statSync(path).mtimeMs > HOUR_MS;
  for (const path of filesUnder([folder], (file) => !kept.has(file) && isOld(file))) rmSync(path, { force: true });
}

async function versionOf(compiler) {
  return (await runToEnd([compiler, '--version'])).output;
}

/** Runs jobs, as many at once as there are processors; results in the order of the items. */
async function inParallel(items, job) {
  const results = new Array(items.length);
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < items.length; index = next++) results[index] = await job(items[index], index);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return results;
}

function runToEnd([program, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => resolve({ code: 1, output: `${program}: ${error.message}` }));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
