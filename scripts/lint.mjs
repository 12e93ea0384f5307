/**
 * Checks layout and lint rules of all sources: Biome for TypeScript, scripts and JSON, the type checker for tests,
 * benches and the dashboard, clang-format for C++. With --write it lays them out instead.
 */
import { spawnSync } from 'node:child_process';
import { ROOT } from './repository.mjs';
import { filesUnder } from './set-up/fingerprint.mjs';
import { programPath } from './set-up/toolchain.mjs';

/** Layout differs a little between releases of clang-format; this one is what the sources are laid out with. */
const CLANG_FORMAT_MAJOR = 14;

const TSC = `${ROOT}/node_modules/typescript/bin/tsc`;
/** What the set-up does not compile, each with what it may know of: Node, a browser, or both. */
const TYPES = {
  'tests and benches': 'test/tsconfig.json',
  'the dashboard': 'web/tsconfig.json',
  "the dashboard's tests": 'test/e2e/tsconfig.json',
};

const isWriting = process.argv.includes('--write');

function run(what, program, args) {
  const isGood = spawnSync(program, args, { cwd: ROOT, stdio: 'inherit' }).status === 0;
  console.log(`${what}: ${isGood ? 'ok' : 'FAILED'}`);
  return isGood;
}

function checkCpp() {
  const program = [`clang-format-${CLANG_FORMAT_MAJOR}`, 'clang-format'].find((name) => programPath(name));
  const version = program && spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout;
  if (!version?.includes(`version ${CLANG_FORMAT_MAJOR}.`)) {
    console.log(`clang-format: skipped, version ${CLANG_FORMAT_MAJOR} is not installed here`);
    return true;
  }
  const files = filesUnder([`${ROOT}/native`], (path) => /\.(cc|h)$/.test(path));
  return run('clang-format', program, [...(isWriting ? ['-i'] : ['--dry-run', '-Werror']), ...files]);
}

const results = [
  run('biome', process.execPath, [
    `${ROOT}/node_modules/@biomejs/biome/bin/biome`,
    'check',
    ...(isWriting ? ['--write'] : []),
  ]),
  ...(isWriting
    ? []
    : Object.entries(TYPES).map(([what, project]) => run(`types of ${what}`, process.execPath, [TSC, '-p', project]))),
  checkCpp(),
];
process.exitCode = results.every(Boolean) ? 0 : 1;
