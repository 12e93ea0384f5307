/** Set-up step: the native engine is compiled from the sources that lie here, for the Node that runs. */
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { ROOT } from '../repository.mjs';
import { runCommand, SetUpError } from './command.mjs';
import { filesUnder, fingerprintOf } from './fingerprint.mjs';
import { lockedVersion } from './packages.mjs';
import { readStamp, removeStamp, writeStamp } from './stamp.mjs';
import { nodeHeadersFolder, requireOpenSslHeaders } from './toolchain.mjs';

const BUILD = `${ROOT}/build`;
const STAMP = `${BUILD}/.sluice-stamp`;

/** `sources`: what make notices by itself. `settings`: what only a rebuild from nothing picks up. */
function inputs() {
  const sources = filesUnder([`${ROOT}/native/src`]);
  const settings = [process.version, process.versions.modules, process.arch, lockedVersion('node-addon-api')];
  return {
    sources: fingerprintOf(ROOT, sources),
    settings: fingerprintOf(ROOT, [`${ROOT}/binding.gyp`], settings),
  };
}

/** True when the addon of these very sources is there. */
export function isAddonFresh() {
  const stamp = readStamp(STAMP);
  const { sources, settings } = inputs();
  return stamp.sources === sources && stamp.settings === settings && builtFiles().length > 0;
}

function builtFiles() {
  const folder = `${BUILD}/Release`;
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.node')) : [];
}

/** @param {NodeJS.ProcessEnv} env from requireToolchain */
export async function buildAddon(env) {
  const { sources, settings } = inputs();
  const isIncremental = readStamp(STAMP).settings === settings;
  removeStamp(STAMP);
  const headers = nodeHeadersFolder();
  requireOpenSslHeaders(headers);
  const args = [
    `${ROOT}/node_modules/node-gyp/bin/node-gyp.js`,
    ...(isIncremental ? ['configure', 'build'] : ['rebuild']),
    '--release',
    `--jobs=${availableParallelism()}`,
    ...(headers === undefined ? [] : [`--nodedir=${headers}`]),
  ];
  const what = `compiling the native engine${isIncremental ? '' : ' (from nothing: about a minute)'}`;
  try {
    await runCommand({ what, log: 'addon', program: process.execPath, args, env });
  } catch (error) {
    if (headers !== undefined || !(error instanceof SetUpError)) throw error;
    throw new SetUpError(
      `${error.message}\nNode's own headers do not lie beside ${process.execPath}. If the download of them is what failed above, install Node from its official archive or image, which bring them along.`,
    );
  }
  if (builtFiles().length === 0)
    throw new SetUpError('node-gyp made no .node file in build/Release: see .cache/logs/addon.log.');
  writeStamp(STAMP, { sources, settings });
}
