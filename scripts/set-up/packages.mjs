/** Set-up step: what package-lock.json names is in node_modules. */
import { existsSync, readFileSync } from 'node:fs';
import { ROOT } from '../repository.mjs';
import { runCommand } from './command.mjs';

const LOCK_FILE = `${ROOT}/package-lock.json`;
/** npm writes this at the very end of an installation: what is in it is really there. */
const INSTALLED_FILE = `${ROOT}/node_modules/.package-lock.json`;

/** True when node_modules holds exactly what the lock file names, whoever installed it. */
export function arePackagesFresh() {
  if (!existsSync(INSTALLED_FILE)) return false;
  const wanted = packagesIn(LOCK_FILE);
  const installed = packagesIn(INSTALLED_FILE);
  for (const [path, { version, optional, devOptional }] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = installed[path];
    const mayBeAbsent = optional === true || devOptional === true;
    if (found === undefined ? !mayBeAbsent : found.version !== version || !existsSync(`${ROOT}/${path}`)) return false;
  }
  return Object.keys(installed).every((path) => path in wanted);
}

/** Installs, without the packages' own scripts: none of them needs one. */
export async function installPackages() {
  const npm = process.env.npm_execpath;
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  await runCommand({
    what: 'installing packages (npm ci)',
    log: 'npm-ci',
    program: npm ? process.execPath : 'npm',
    args: npm ? [npm, ...args] : args,
  });
}

/** Version of one package that the lock file names. */
export function lockedVersion(name) {
  return packagesIn(LOCK_FILE)[`node_modules/${name}`]?.version ?? 'none';
}

function packagesIn(file) {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  return packages ?? {};
}
