/**
 * testssl.sh against listeners as they are by default: no finding above LOW. In a few seconds protocols, groups of suites and forward secrecy of
 * the native front end; with SLUICE_LONG=1 all that it knows, of every front end and of mode l4 (`npm run testssl`).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CertificateFiles } from '../../harness/certificate-files.js';
import { makeCertificate } from '../../harness/certificate-maker.js';
import { endOfProgram, findProgram } from '../../harness/programs.js';
import { type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';

const IS_LONG = process.env['SLUICE_LONG'] === '1';
const testssl = findProgram('testssl', 'testssl.sh');

/** A full run takes one to two minutes. */
const RUN_TIMEOUT_MS = IS_LONG ? 600_000 : 60_000;
/** Protocols, groups of suites, forward secrecy; and everything. */
const SHORT = ['--protocols', '--std', '--fs'];
const FULL = ['--full'];

/** What is told without being a fault of sluice. */
const CERTIFICATE_OF_TEST = 'the test’s own authority has neither revocation lists nor an OCSP responder';
const ORDER_OF_UWS =
  'BoringSSL goes by the order of the client, and uWebSockets.js has no setting for it; every suite is a strong one';
/** The openssl that it asks, not what it looks at: some have no engine for GOST. */
const ITS_OWN = 'engine_problem';
/** Its client, which has nothing to say, leaves as soon as its own side of TLS 1.3 is done: now and then before the tickets are there. */
const TICKETS_MISSED = 'sessionresumption_ticket';

interface Candidate {
  readonly name: string;
  readonly listener: object;
  readonly excused: Readonly<Record<string, string>>;
  readonly hasHttp2: boolean;
}

const CANDIDATES: readonly Candidate[] = [
  {
    name: 'native',
    listener: { mode: 'l7', frontend: 'native', hsts: '8760h', routes: [{ upstream: 'app' }] },
    excused: { cert_revocation: CERTIFICATE_OF_TEST },
    hasHttp2: true,
  },
  {
    name: 'uws',
    listener: { mode: 'l7', frontend: 'uws', hsts: '8760h', routes: [{ upstream: 'app' }] },
    excused: { cert_revocation: CERTIFICATE_OF_TEST, cipher_order: ORDER_OF_UWS },
    hasHttp2: false,
  },
  {
    name: 'l4',
    listener: { mode: 'l4', upstream: 'app' },
    excused: { cert_revocation: CERTIFICATE_OF_TEST },
    hasHttp2: false,
  },
];

/** One line of its report. */
interface Finding {
  /** With the number of the certificate behind it, where there are several. */
  readonly id: string;
  readonly severity: 'OK' | 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL' | 'WARN' | 'FATAL';
  readonly finding: string;
}

const files = new CertificateFiles();
const ca = join(files.directory, 'ca.pem');
let endpoint: RequestEndpoint;

/** @returns what it found; it ends with a number of faults, so that only the report counts */
async function findings(proxy: ProxyProcess, name: string, checks: readonly string[]): Promise<readonly Finding[]> {
  const report = join(files.directory, `${name}.json`);
  const quiet = ['--quiet', '--color', '0', '--warnings', 'off'];
  // Without name service: who has no resolver gets the same result.
  const target = ['--nodns', 'none', '--ip', '127.0.0.1', '--assume-http', '--add-ca', ca];
  const args = [...quiet, ...target, ...checks, '--jsonfile', report, `localhost:${proxy.port}`];
  const { output } = await endOfProgram(testssl as string, args, RUN_TIMEOUT_MS);
  if (IS_LONG) console.info(output);
  return JSON.parse(readFileSync(report, 'utf8')) as Finding[];
}

describe.skipIf(testssl === undefined)('testssl.sh', () => {
  beforeAll(async () => {
    // Fields of security are the endpoint's; sluice passes them on.
    const fields = [
      'X-Frame-Options: DENY',
      'X-Content-Type-Options: nosniff',
      "Content-Security-Policy: default-src 'self'",
    ];
    endpoint = await startRequestEndpoint(ok('hello', fields));
  });

  afterAll(async () => {
    await endpoint?.close();
    files.close();
  });

  it.each(IS_LONG ? CANDIDATES : CANDIDATES.slice(0, 1))(
    'finds nothing above LOW at a listener of $name by default',
    async ({ name, listener, excused, hasHttp2 }) => {
      const issuer = makeCertificate({ name: 'Test Authority', isAuthority: true });
      writeFileSync(ca, issuer.cert);
      const endsAt = new Date(Date.now() + 90 * 86_400_000);
      const startsAt = new Date(Date.now() - 86_400_000);
      const leaf = { name: 'localhost', issuer, startsAt, endsAt };
      // BoringSSL, as uWebSockets.js shows it, has one certificate for a name.
      const kinds = name === 'uws' ? [{}] : [{}, { rsaBits: 2048 }];
      const certificates = kinds.map((kind, at) => files.write(`${name}-${at}`, makeCertificate({ ...leaf, ...kind })));
      const proxy = await startProxy({
        workers: 1,
        listeners: [{ name, bind: '127.0.0.1:0', tls: { certificates }, ...listener }],
        upstreams: { app: { endpoints: [{ address: `127.0.0.1:${endpoint.port}` }] } },
      });
      const found = await findings(proxy, name, IS_LONG ? FULL : SHORT).finally(() => proxy.stop());
      const said = new Map(found.map(({ id, finding }) => [id, finding]));
      expect(['SSLv3', 'TLS1', 'TLS1_1', 'TLS1_2', 'TLS1_3'].map((version) => said.get(version))).toEqual([
        'not offered',
        'not offered',
        'not offered',
        'offered',
        'offered with final',
      ]);
      expect(said.get('ALPN_HTTP2') === 'h2').toBe(hasHttp2);
      const grave = found.filter(({ severity }) => !['OK', 'INFO', 'LOW'].includes(severity));
      const faults = grave.filter(
        ({ id, severity }) =>
          excused[id.split(' ', 1)[0] ?? ''] === undefined &&
          !([TICKETS_MISSED, ITS_OWN].includes(id) && severity === 'WARN'),
      );
      expect(faults.map(({ severity, id, finding }) => `${severity} ${id}: ${finding}`)).toEqual([]);
    },
    RUN_TIMEOUT_MS + 30_000,
  );
});
