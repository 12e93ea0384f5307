/** Set-up step: the compiled program in a few files, which start twice as fast as the hundreds that they are made of. */
import { existsSync, rmSync } from 'node:fs';
import { ROOT } from '../repository.mjs';
import { runCommand } from './command.mjs';
import { filesUnder, fingerprintOf } from './fingerprint.mjs';
import { lockedVersion } from './packages.mjs';
import { readStamp, removeStamp, writeStamp } from './stamp.mjs';

const BUNDLE = `${ROOT}/bundle`;
const STAMP = `${BUNDLE}/.sluice-stamp`;
const BUNDLER = `${ROOT}/scripts/bundle.mjs`;
/** What starts the program and its threads, and the page that it serves. */
const ENTRIES = ['cli/main.js', 'worker/entry.js', 'web/index.html'];

function inputs() {
  const compiled = filesUnder([`${ROOT}/dist`], (path) => path.endsWith('.js') || path.includes('/dist/web/'));
  return fingerprintOf(ROOT, [BUNDLER, `${ROOT}/package-lock.json`, ...compiled], [lockedVersion('rolldown')]);
}

/** True when the bundle was made of these very files, and is there. */
export function isBundleFresh() {
  return readStamp(STAMP).inputs === inputs() && ENTRIES.every((entry) => existsSync(`${BUNDLE}/${entry}`));
}

/** Makes the bundle from nothing; it takes a second. */
export async function makeBundle() {
  const stamped = inputs();
  removeStamp(STAMP);
  rmSync(BUNDLE, { recursive: true, force: true });
  await runCommand({ what: 'bundling the program', log: 'bundle', program: process.execPath, args: [BUNDLER] });
  writeStamp(STAMP, { inputs: stamped });
}
