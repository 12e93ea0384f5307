/** Certificates that change under load: no handshake fails, and no open connection notices. SLUICE_LONG=1: a change every second for a minute. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MadeCertificate, makeCertificate } from '../../harness/certificate-maker.js';
import { endAfterEach } from '../../harness/end-after-each.js';
import { badLines, configFor, startProxy } from '../../harness/proxy-process.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();

const IS_LONG = process.env['SLUICE_LONG'] === '1';
const CHANGES = IS_LONG ? 60 : 8;
const PAUSE_MS = IS_LONG ? 1_000 : 150;
/** At the same time, with a connection for each request. */
const CLIENTS = 4;
/** Connections that are kept all along. */
const KEPT = 3;

let directory = '';
const at = (name: string) => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-certificates-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The key first, then the certificate, each renamed into its place: in between they do not match. */
function put({ cert, key }: MadeCertificate): void {
  for (const [name, content] of [
    ['a.key', key],
    ['a.pem', cert],
  ] as const) {
    writeFileSync(at(`${name}.new`), content);
    renameSync(at(`${name}.new`), at(name));
  }
}

interface Answered {
  readonly status: number;
  readonly fingerprint: string;
  readonly localPort: number;
}

function get(port: number, agent: Agent): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const exchange = request(
      { host: '127.0.0.1', port, servername: 'a.example', agent, rejectUnauthorized: false },
      (response) => {
        const socket = response.socket as TLSSocket;
        const fingerprint = socket.getPeerCertificate().fingerprint256;
        const { localPort = 0 } = socket;
        response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, fingerprint, localPort }));
      },
    );
    exchange.on('error', reject).end();
  });
}

describe('certificates that change under load', () => {
  it('fail no handshake and touch no connection', async () => {
    const all = Array.from({ length: CHANGES + 1 }, () => makeCertificate({ name: 'a.example' }));
    const [first] = all as [MadeCertificate];
    put(first);
    const endpoint = await started(startRequestEndpoint(ok()));
    const proxy = await started(
      startProxy(
        configFor([endpoint.port], { listener: { tls: { certificates: [{ cert: at('a.pem'), key: at('a.key') }] } } }),
      ),
    );
    const { port } = proxy;
    const keeping = Array.from({ length: KEPT }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const kept = await Promise.all(keeping.map((agent) => get(port, agent)));
    const seen = new Map<string, number>();
    const failures: unknown[] = [];
    let isOver = false;
    const clients = Array.from({ length: CLIENTS }, async () => {
      while (!isOver) {
        const agent = new Agent({ keepAlive: false, maxCachedSessions: 0 });
        const answered = await get(port, agent).catch((error: unknown) => void failures.push(error));
        agent.destroy();
        if (answered === undefined || answered.status !== 200) failures.push(answered);
        else seen.set(answered.fingerprint, (seen.get(answered.fingerprint) ?? 0) + 1);
      }
    });
    for (const made of all.slice(1)) {
      put(made);
      await until(`clients see another certificate`, () => seen.has(made.x509.fingerprint256));
      const again = await Promise.all(keeping.map((agent) => get(port, agent)));
      expect(again).toEqual(kept);
      const nextAt = Date.now() + PAUSE_MS;
      await until('the next change', () => Date.now() >= nextAt);
    }
    isOver = true;
    await Promise.all(clients);
    for (const agent of keeping) agent.destroy();
    expect(failures).toEqual([]);
    expect(kept.every(({ status, fingerprint }) => status === 200 && fingerprint === first.x509.fingerprint256)).toBe(
      true,
    );
    expect([...seen.keys()].filter((one) => !all.some(({ x509 }) => x509.fingerprint256 === one))).toEqual([]);
    expect(badLines(proxy.log)).toEqual([]);
  });
});
