/** Set-up step: dist holds what the TypeScript in src compiles to, and nothing else. */
import { existsSync, rmSync } from 'node:fs';
import { ROOT } from '../repository.mjs';
import { runCommand } from './command.mjs';
import { filesUnder, fingerprintOf } from './fingerprint.mjs';
import { lockedVersion } from './packages.mjs';
import { readStamp, removeStamp, writeStamp } from './stamp.mjs';

const DIST = `${ROOT}/dist`;
const STAMP = `${DIST}/.sluice-stamp`;

function inputs() {
  const sources = filesUnder([`${ROOT}/src`], (path) => path.endsWith('.ts'));
  return fingerprintOf(ROOT, [`${ROOT}/tsconfig.json`, ...sources], [lockedVersion('typescript')]);
}

/** True when dist was compiled, without errors, from these very sources. */
export function isTypescriptFresh() {
  return readStamp(STAMP).inputs === inputs();
}

/** Compiles what changed; everything when the last compilation did not come to a good end. */
export async function compileTypescript() {
  const stamped = inputs();
  if (readStamp(STAMP).inputs === undefined) rmSync(`${DIST}/.tsbuildinfo`, { force: true });
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

/** tsc leaves the output of deleted sources behind, and a thread could still load it. */
function removeOrphans() {
  for (const output of filesUnder([DIST], (path) => /\.js(\.map)?$/.test(path))) {
    const source = output.replace(DIST, `${ROOT}/src`).replace(/\.js(\.map)?$/, '.ts');
    if (!existsSync(source)) rmSync(output);
  }
}
