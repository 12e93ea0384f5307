/** Holds what the built engine needs of OpenSSL and nghttp2 against the lists, and against what this Node exports. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadEngine } from '../../src/engine/load-engine.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const FOREIGN =
  /^(?:SSL|TLS|X509|EVP|BIO|ERR|PEM|RAND|ASN1|BN|CRYPTO|OPENSSL|OSSL|OpenSSL|GENERAL_NAME|d2i|i2d|nghttp2)_?/;
const hasNm = spawnSync('nm', ['--version']).status === 0;

/** Symbols by nm's letter: w is weak, U is not. */
function symbols(args: readonly string[]): Map<string, string> {
  const { stdout } = spawnSync('nm', ['-D', ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const lines = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return new Map(lines.map((words) => [words.at(-1)?.replace(/@.*/, '') ?? '', words.at(-2) ?? '']));
}

function listed(file: string): string[] {
  const text = readFileSync(`${ROOT}native/src/${file}`, 'utf8');
  return [...text.matchAll(/^SLUICE_NEEDED_FUNCTION\((\w+)\)$/gm)].map(([, name]) => name ?? '');
}

describe.skipIf(!hasNm)('the functions that the engine needs of this Node', () => {
  const lists = [...listed('tls/openssl_functions.inc'), ...listed('http2/nghttp2_functions.inc')];
  const needed = symbols(['--undefined-only', `${ROOT}build/Release/sluice_engine.node`]);

  it('stand in the lists, and are weak', () => {
    const foreign = [...needed].filter(([name]) => FOREIGN.test(name));
    expect(foreign.length).toBeGreaterThan(50);
    expect(foreign.filter(([name, kind]) => kind !== 'w' || !lists.includes(name))).toEqual([]);
  });

  it('are exported by this Node', () => {
    expect(loadEngine().tlsSupport().missing).toEqual([]);
    const variables: Readonly<Record<string, unknown>> = { ...process.config.variables };
    const isShared = variables.node_shared_openssl === true || variables.node_shared_nghttp2 === true;
    const exported = symbols(['--defined-only', process.execPath]);
    if (!isShared) expect(lists.filter((name) => !exported.has(name))).toEqual([]);
  });
});
