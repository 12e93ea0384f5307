/** The certificate of a run: made once for each kind of key, the same for all candidates. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Suite of TLS 1.3 that every candidate is held to: what clients of OpenSSL ask for first. */
export const CIPHER_SUITE = 'TLS_AES_256_GCM_SHA384';

const NEW_KEY = { ecdsa: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], rsa: ['-newkey', 'rsa:2048'] };

/**
 * Paths of PEM files: certificate, key, and both in one, as HAProxy wants them.
 *
 * @param {import('./processes.mjs').Programs} programs @param {'ecdsa' | 'rsa'} kind
 * @throws Error with the words of openssl
 */
export function certificateFiles(programs, kind) {
  // Apart from what is written during a run: sluice watches the directory.
  const directory = join(programs.directory, 'certificates');
  mkdirSync(directory, { recursive: true });
  const cert = join(directory, `${kind}.crt`);
  const key = join(directory, `${kind}.key`);
  const both = join(directory, `${kind}.pem`);
  if (!existsSync(both)) {
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const files = ['-nodes', '-days', '2', '-keyout', key, '-out', cert];
    const { status, stderr, error } = spawnSync('openssl', ['req', '-x509', ...NEW_KEY[kind], ...names, ...files], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`openssl made no certificate: ${error?.message ?? stderr}`);
    writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
  }
  return { cert, key, both };
}
