/** Set-up step: dist holds what the TypeScript in src compiles to, and nothing else. */
import { existsSync, rmSync } from 'node:fs';
import { ROOT } from '../repository.mjs';
import { runCommand } from './command.mjs';
import { filesUnder, fingerprintOf } from './fingerprint.mjs';
import { lockedVersion } from './packages.mjs';
import { readStamp, removeStamp, writeStamp } from './stamp.mjs';

const SRC = `${ROOT}/src`;
const DIST = `${ROOT}/dist`;
const STAMP = `${DIST}/.sluice-stamp`;

function inputs() {
  const sources = filesUnder([SRC], (path) => path.endsWith('.ts'));
  return fingerprintOf(ROOT, [`${ROOT}/tsconfig.json`, ...sources], [lockedVersion('typescript')]);
}

/** True when dist was compiled, without errors, from these very sources, and is still whole. */
export function isTypescriptFresh() {
  return readStamp(STAMP).inputs === inputs() && missingOutputs(SRC, DIST).length === 0;
}

/** Compiles what changed; everything when the last compilation did not come to a good end, or something of it is gone. */
export async function compileTypescript() {
  const stamped = inputs();
  // By its build information tsc takes what it once wrote for written.
  const isIncremental = readStamp(STAMP).inputs !== undefined && missingOutputs(SRC, DIST).length === 0;
  if (!isIncremental) rmSync(`${DIST}/.tsbuildinfo`, { force: true });
  removeStamp(STAMP);
  await runCommand({
    what: 'compiling TypeScript',
    log: 'typescript',
    program: process.execPath,
    args: [`${ROOT}/node_modules/typescript/bin/tsc`, '-p', `${ROOT}/tsconfig.json`],
  });
  removeOrphans();
  writeStamp(STAMP, { inputs: stamped });
}

/**
 * @param {string} src folder of the sources
 * @param {string} dist folder they are compiled to
 * @returns {string[]} the .js files that some source has no more, or not yet
 */
export function missingOutputs(src, dist) {
  return filesUnder([src], (path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .map((source) => source.replace(src, dist).replace(/\.ts$/, '.js'))
    .filter((output) => !existsSync(output));
}

/** tsc leaves the output of deleted sources behind, and a thread could still load it. */
function removeOrphans() {
  // dist/web is the dashboard's, which is built in a step of its own.
  const isOfTsc = (path) => /\.js(\.map)?$/.test(path) && !path.startsWith(`${DIST}/web/`);
  for (const output of filesUnder([DIST], isOfTsc)) {
    const source = output.replace(DIST, SRC).replace(/\.js(\.map)?$/, '.ts');
    if (!existsSync(source)) rmSync(output);
  }
}
