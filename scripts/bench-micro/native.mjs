/** Builds and runs the micro benches of native/bench, without Node, with the optimisation that the engine is built with. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { CACHE, ROOT } from '../repository.mjs';
import { filesUnder, fingerprintOf } from '../set-up/fingerprint.mjs';

const COMPILER = process.env.CXX || 'g++';
const FLAGS = ['-std=c++20', '-O2', '-fno-exceptions', '-fno-rtti', '-pthread', '-Wall', '-Wextra', '-Werror'];
const TIMEOUT_MS = 60_000;

/** Source files of the benches. @returns {string[]} absolute paths */
export function nativeBenches() {
  return filesUnder([`${ROOT}/native/bench`], (path) => path.endsWith('_bench.cc'));
}

/** Runs one. @param {string} source @returns {{ name: string, ns: number, bytes: number }[]} @throws Error that says what failed */
export function runNativeBench(source) {
  const program = buildBench(source);
  const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8', timeout: TIMEOUT_MS });
  if (status !== 0) throw new Error(`${source} ended with ${status}: ${stderr}`);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** Compiled once for each content. @returns path of the program */
function buildBench(source) {
  const isSource = (path) => path.endsWith('.cc') && !path.includes('/native/src/binding/');
  const sources = filesUnder([`${ROOT}/native/src`], isSource);
  const headers = filesUnder([`${ROOT}/native/src`, `${ROOT}/native/test`, `${ROOT}/native/bench`], (path) =>
    path.endsWith('.h'),
  );
  const folder = `${CACHE}/native-bench`;
  const program = `${folder}/${fingerprintOf(ROOT, [source, ...sources, ...headers], [COMPILER, FLAGS])}.bench`;
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  console.log(`compiling ${source.slice(ROOT.length + 1)} …`);
  const draft = `${program}.${process.pid}.draft`;
  const includes = [`-I${ROOT}/native/src`, `-I${ROOT}/native`];
  const built = spawnSync(COMPILER, [...FLAGS, ...includes, source, ...sources, '-o', draft], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(built.error?.message ?? built.stderr);
  renameSync(draft, program);
  return program;
}
