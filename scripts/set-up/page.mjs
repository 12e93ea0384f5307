/** Set-up step: dist/web holds the dashboard, as browsers load it. */
import { existsSync } from 'node:fs';
import { ROOT } from '../repository.mjs';
import { runCommand } from './command.mjs';
import { filesUnder, fingerprintOf } from './fingerprint.mjs';
import { lockedVersion } from './packages.mjs';
import { readStamp, removeStamp, writeStamp } from './stamp.mjs';

const PAGE = `${ROOT}/dist/web`;
/** Beside the folder, not in it: what is in it is served. */
const STAMP = `${ROOT}/dist/.sluice-page-stamp`;
const BUILDER = `${ROOT}/scripts/page.mjs`;
/** Of the program itself the page takes the shapes of what the API answers. */
const SOURCES = [`${ROOT}/web`, `${ROOT}/src/observability/live-figures.ts`, BUILDER];
const FILES = ['index.html', 'dashboard.js', 'dashboard.css', 'icon.svg'];

function inputs() {
  return fingerprintOf(ROOT, filesUnder(SOURCES), [lockedVersion('rolldown'), lockedVersion('uplot')]);
}

/** True when the page was built from these very sources, and is there. */
export function isPageFresh() {
  return readStamp(STAMP).inputs === inputs() && FILES.every((file) => existsSync(`${PAGE}/${file}`));
}

/** Builds it from nothing; it takes less than a second. */
export async function buildPage() {
  const stamped = inputs();
  removeStamp(STAMP);
  await runCommand({ what: 'building the dashboard', log: 'page', program: process.execPath, args: [BUILDER] });
  writeStamp(STAMP, { inputs: stamped });
}
