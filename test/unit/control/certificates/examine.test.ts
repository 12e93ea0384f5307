/** Files that a configuration names: problems and warnings stand at the place of their setting. */
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../../src/config/load.js';
import { sourceText } from '../../../../src/config/problem.js';
import { certificateExamination } from '../../../../src/control/certificates/examine.js';
import { makeCertificate, makeRevocationList } from '../../../harness/certificate-maker.js';
import { MACHINE, SMALLEST } from '../../config/loading.js';
import { MadeUpFiles, NOW_MS } from './files.js';

const made = makeCertificate({ name: 'a.example' });
const authority = makeCertificate({ name: 'Authority', isAuthority: true });
const A = 'certificates: [ { cert: a.pem, key: a.key } ]';
const withTls = (tls: string) => SMALLEST.replace('name: web,', `name: web, tls: { ${tls} },`);
const withUpstreamTls = (tls: string) => SMALLEST.replace('api: {', `api: { tls: { ${tls} },`);

function files(more: Readonly<Record<string, string | Uint8Array>> = {}) {
  return new MadeUpFiles({
    'a.pem': made.cert,
    'a.key': made.key,
    'ca.pem': authority.cert,
    'a.crl': makeRevocationList(authority, { revoked: [1, 2] }),
    't.keys': Buffer.alloc(160),
    ...more,
  });
}

/** "3:60 listeners[0].tls…" of each problem, or of each warning of a configuration without problems. */
function told(text: string, from = files()): string[] {
  const loaded = loadConfig({
    file: 's.yaml',
    flags: {},
    machine: MACHINE,
    readFile: () => Buffer.from(text),
    examinations: [certificateExamination(from.reader())],
  });
  return (loaded.ok ? loaded.warnings : loaded.problems).map(
    ({ source, path, sentence }) => `${sourceText(source).replace(/^s\.yaml:/, '')} ${path} ${sentence}`,
  );
}

describe('files of a configuration', () => {
  it('are good without a word', () => {
    const all = `${A}, clientAuth: { ca: ca.pem, crl: a.crl }, tickets: { file: t.keys }`;
    expect(told(withTls(all))).toEqual([]);
    expect(told(withUpstreamTls('ca: ca.pem, cert: a.pem, key: a.key'))).toEqual([]);
  });

  it.each([
    [
      withTls('certificates: [ { cert: a.pem, key: b.key } ]'),
      '3:61 listeners[0].tls.certificates[0].key is "b.key", but the file does not exist',
    ],
    [
      withTls(`${A}, clientAuth: { ca: a.key }`),
      '3:90 listeners[0].tls.clientAuth.ca is "a.key", which has no certificate: it holds private key only',
    ],
    [
      withTls(`${A}, clientAuth: { ca: ca.pem, crl: ca.pem }`),
      '3:103 listeners[0].tls.clientAuth.crl is "ca.pem", which has no revocation list: it holds certificate only',
    ],
    [
      withTls(`${A}, tickets: { file: a.crl }`),
      expect.stringMatching(
        /^3:89 listeners\[0\]\.tls\.tickets\.file is "a\.crl", which has \d+ bytes, but must have 80 for each key$/,
      ),
    ],
    [
      withTls(`${A}, curves: "X25519:P-999"`),
      '3:80 listeners[0].tls.curves is "X25519:P-999", which OpenSSL does not take: a name in it is unknown',
    ],
    [
      withTls(`${A}, ciphers: NOTHING`),
      '3:81 listeners[0].tls.ciphers is "NOTHING", which OpenSSL does not take: a name in it is unknown',
    ],
    [
      withTls(`${A}, ciphers: TLS_AES_128_GCM_SHA256`),
      '3:81 listeners[0].tls.ciphers is "TLS_AES_128_GCM_SHA256", which OpenSSL does not take: a name in it is unknown',
    ],
    [
      withTls(`${A}, cipherSuites: ECDHE-RSA-AES128-GCM-SHA256`),
      '3:86 listeners[0].tls.cipherSuites is "ECDHE-RSA-AES128-GCM-SHA256", which OpenSSL does not take: a name in it is unknown',
    ],
    [withUpstreamTls('ca: b.pem'), '5:21 upstreams.api.tls.ca is "b.pem", but the file does not exist'],
    [
      withTls('acme: { names: [ a.b ], storage: s, ca: b.pem }'),
      '3:65 listeners[0].tls.acme.ca is "b.pem", but the file does not exist',
    ],
  ])('are told at their place: %#', (text, problem) => {
    expect(told(text)).toEqual([problem]);
  });

  it('are told all at once', () => {
    const text = withTls('certificates: [ { cert: b.pem, key: b.key }, { cert: c.pem, key: a.key } ]');
    expect(told(text)).toHaveLength(3);
  });

  it('are warned of where they are weak', () => {
    const ended = makeCertificate({ name: 'Ended', isAuthority: true, endsAt: new Date(NOW_MS - 1) });
    const crl = makeRevocationList(authority, { endsAt: new Date(NOW_MS - 1) });
    const from = files({ 'ca.pem': authority.cert + ended.cert, 'a.crl': crl });
    from.permissions = 0o644;
    expect(told(withTls(`${A}, clientAuth: { ca: ca.pem, crl: a.crl }, tickets: { file: t.keys }`), from)).toEqual([
      expect.stringMatching(/clientAuth\.ca has the authority Ended \(line \d+\) that ended on /),
      expect.stringMatching(/clientAuth\.crl has a revocation list \(line 1\) that is outdated since /),
      expect.stringMatching(/tickets\.file is "t\.keys", which others than its owner may read \(644\)/),
    ]);
  });

  it('are warned of where OpenSSL passes over a name', () => {
    const ciphers =
      'ECDHE-RSA-AES128-GCM-SHA265:ECDHE+AESGCM:!aNULL:TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256';
    const path = '3:81 listeners[0].tls.ciphers';
    expect(told(withTls(`${A}, ciphers: "${ciphers}"`))).toEqual([
      `${path} has "TLS_AES_128_GCM_SHA256", which is a suite of TLS 1.3: it is passed over`,
      `${path} has "ECDHE-RSA-AES128-GCM-SHA265", which OpenSSL does not know: it is passed over`,
    ]);
  });

  it('are not looked into where the configuration is bad', () => {
    expect(told(withTls('certificates: [ { cert: b.pem, key: b.key } ], minVersion: "1.1"'))).toEqual([
      expect.stringMatching(/minVersion is "1.1", but must be one of/),
    ]);
  });
});
