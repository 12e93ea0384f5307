/** Endpoints of one test that answer health checks over TLS, HTTP/2 and gRPC, with certificates in files as configurations name them. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProbeTlsPlan } from '../../src/config/resilience-plan.js';
import { TLS_CIPHER_SUITES, TLS_CIPHERS, TLS_CURVES } from '../../src/config/tls-defaults.js';
import { type MadeCertificate, makeCertificate } from './certificate-maker.js';

/** A certificate with the files that hold it. */
export interface FiledCertificate extends MadeCertificate {
  readonly certPath: string;
  readonly keyPath: string;
}

/** Always `close` it, after each test. */
export class ProbeEndpoints {
  readonly #opened: (() => unknown)[] = [];

  certificate(name: string): FiledCertificate {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-probe-'));
    this.#opened.push(() => rmSync(folder, { recursive: true }));
    const made = makeCertificate({ name });
    const certPath = join(folder, 'cert.pem');
    const keyPath = join(folder, 'key.pem');
    writeFileSync(certPath, made.cert);
    writeFileSync(keyPath, made.key);
    return { ...made, certPath, keyPath };
  }

  /** TLS as an upstream with defaults has it, that believes one certificate. */
  believing(authority: FiledCertificate, more: Partial<ProbeTlsPlan> = {}): ProbeTlsPlan {
    return {
      isVerified: true,
      ca: authority.certPath,
      serverName: null,
      certificate: null,
      minVersion: '1.2',
      ciphers: TLS_CIPHERS,
      cipherSuites: TLS_CIPHER_SUITES,
      curves: TLS_CURVES,
      ...more,
    };
  }

  /** @returns the address */
  async listening(endpoint: Server): Promise<string> {
    const sockets = new Set<{ destroy(): void }>();
    endpoint.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
    });
    endpoint.on('tlsClientError', () => {}).on('sessionError', () => {});
    endpoint.listen(0, '127.0.0.1');
    await once(endpoint, 'listening');
    this.atEnd(() => {
      for (const socket of sockets) socket.destroy();
      endpoint.close();
    });
    return `127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
  }

  atEnd(close: () => unknown): void {
    this.#opened.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#opened.splice(0).reverse()) await close();
  }
}
