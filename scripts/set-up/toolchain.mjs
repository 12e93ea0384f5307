/** Finds what compiles the native engine: a C++20 compiler, make, Python and Node's headers. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { SetUpError } from './command.mjs';

/** Oldest major versions with the C++20 that native/ uses. */
const OLDEST = { 'g++': 11, 'clang++': 14 };

/** How each package manager installs the three tools. */
const REMEDIES = {
  'apt-get': 'apt-get install g++ make python3',
  dnf: 'dnf install gcc-c++ make python3',
  apk: 'apk add g++ make python3 linux-headers',
  pacman: 'pacman -S gcc make python',
  zypper: 'zypper install gcc-c++ make python3',
};

/** @returns {string | undefined} absolute path of a program, as the shell would find it */
export function programPath(name, env = process.env) {
  if (name.includes('/')) return existsSync(name) ? name : undefined;
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder: the next one
    }
  }
  return undefined;
}

/**
 * Proves that the tools are there.
 *
 * @returns {{ env: NodeJS.ProcessEnv }} environment for the build: names clang where there is no g++
 * @throws SetUpError one sentence with what is missing and the command that installs it
 */
export function requireToolchain(env = process.env) {
  const wanted = env.CXX ? env.CXX.split(' ')[0] : undefined;
  const compiler = wanted ?? ['g++', 'clang++'].find((name) => programPath(name, env));
  const missing = [];
  if (compiler === undefined || !programPath(compiler, env))
    missing.push(wanted ? `${wanted} (named by CXX)` : 'a C++ compiler (g++)');
  if (!programPath('make', env)) missing.push('make');
  if (![env.PYTHON, 'python3', 'python'].some((name) => name && programPath(name, env))) missing.push('python3');
  if (missing.length > 0) {
    throw new SetUpError(
      `the native engine is compiled here, and this machine lacks ${missing.join(' and ')}: run \`${remedyFor(env)}\`, then try again.`,
    );
  }
  const oldest = compiler.includes('clang') ? OLDEST['clang++'] : OLDEST['g++'];
  const version = spawnSync(compiler, ['-dumpversion'], { env, encoding: 'utf8' }).stdout?.trim() ?? '';
  if (Number.parseInt(version, 10) < oldest) {
    throw new SetUpError(
      `the native engine needs C++20, and ${compiler} here is version ${version}: install version ${oldest} or later, or name another compiler in CXX.`,
    );
  }
  return { env: env.CXX || compiler === 'g++' ? env : { ...env, CC: 'clang', CXX: 'clang++' } };
}

function remedyFor(env) {
  const manager = Object.keys(REMEDIES).find((name) => programPath(name, env)) ?? 'apt-get';
  const needsRoot = process.getuid?.() !== 0;
  return `${needsRoot ? 'sudo ' : ''}${REMEDIES[manager]}`;
}

/**
 * Folder for node-gyp's --nodedir, so that it need not download headers: the one that this Node was installed with.
 *
 * @returns {string | undefined} undefined where no headers of this very ABI lie beside Node
 */
export function nodeHeadersFolder(execPath = process.execPath) {
  const prefix = dirname(dirname(realpathSync(execPath)));
  const places = [
    { folder: prefix, header: join(prefix, 'include/node/node_version.h') },
    { folder: '/usr/include/nodejs', header: '/usr/include/nodejs/src/node_version.h' }, // Debian's libnode-dev
  ];
  return places.find(({ header }) => existsSync(header) && abiIn(header) === process.versions.modules)?.folder;
}

/**
 * Node brings OpenSSL's headers along, but a distribution may leave them out.
 *
 * @param {string | undefined} headers from nodeHeadersFolder; undefined: node-gyp downloads the official ones, which have them
 * @throws SetUpError one sentence with what is missing and what to do
 */
export function requireOpenSslHeaders(headers, systemHeader = '/usr/include/openssl/ssl.h') {
  if (headers === undefined) return;
  const places = [
    join(headers, 'include/node/openssl/ssl.h'),
    join(headers, 'deps/openssl/openssl/include/openssl/ssl.h'),
  ];
  if (places.some((header) => existsSync(header))) return;
  // A Node of a distribution may use the system's library: then its headers are right, those of a library within Node are not.
  const isShared = process.config.variables.node_shared_openssl;
  if (isShared && existsSync(systemHeader)) return;
  throw new SetUpError(
    isShared
      ? `the native engine is compiled with the headers of OpenSSL, and this machine lacks them: install libssl-dev (openssl-devel), then try again.`
      : `the native engine is compiled with the headers of OpenSSL, and Node's headers in ${headers} lack them: install Node from its official archive or image, which bring them along.`,
  );
}

function abiIn(header) {
  return /#define NODE_MODULE_VERSION (\d+)/.exec(readFileSync(header, 'utf8'))?.[1];
}
