/** Checks over the settings of TLS: what is refused because of what stands beside it. */
import { describe, expect, it } from 'vitest';
import { configOf, problemsOf, SMALLEST, SMALLEST_L4 } from './loading.js';

const PAIR = 'certificates: [ { cert: a.pem, key: a.key } ]';
const withListener = (settings: string) => SMALLEST.replace('name: web,', `name: web, ${settings},`);
const withL4 = (settings: string) => SMALLEST_L4.replace('name: db,', `name: db, ${settings},`);
const withUpstream = (settings: string) => SMALLEST.replace('api: {', `api: { ${settings},`);
/** Without the place and the hint. */
const told = (text: string) =>
  problemsOf(text).map((problem) =>
    problem
      .replace(/^sluice\.yaml:\d+:\d+ (listeners\[0\]|upstreams\.api)\./, '')
      .split(' | ')[0]
      ?.replace(/, line \d+/g, ''),
  );

describe('tls of a listener', () => {
  it.each([
    ['1.2', 'write it in quotes: "1.2"'],
    ['TLS1.3', 'did you mean 1.3?'],
    ['TLSv1.2', 'did you mean 1.2?'],
  ])('tells how the oldest version is written where it is %s', (version, hint) => {
    const [problem = ''] = problemsOf(withListener(`tls: { ${PAIR}, minVersion: ${version} }`));
    expect(problem.split(' | ')[1]).toBe(hint);
  });

  it.each([
    ['tls: {}', 'tls.certificates is missing, and there is no acme'],
    ['tls: { certificates: [] }', 'tls.certificates is empty, and there is no acme'],
    [
      'tls: { certificates: [ { cert: a, key: b }, { cert: a, key: c } ] }',
      'tls.certificates[1].cert is the file of another certificate of this listener (listeners[0].tls.certificates[0].cert)',
    ],
    [
      'tls: { acme: { storage: s, names: [ a.b, A.B ] } }',
      'tls.acme.names[1] is A.B, which is there already (listeners[0].tls.acme.names[0])',
    ],
    [`tls: { ${PAIR}, alpn: [ h2, h2 ] }`, 'tls.alpn[1] is h2, which is there already (listeners[0].tls.alpn[0])'],
    ['hsts: 1h', 'hsts stands without tls: browsers pass it over where it does not come over TLS (RFC 6797)'],
    [
      `tls: { ${PAIR} }, redirectToHttps: 443`,
      'redirectToHttps stands beside tls: whoever comes here has come by https',
    ],
    [
      `frontend: uws, tls: { ${PAIR}, alpn: [ h2, http/1.1 ] }`,
      'tls.alpn[0] is h2, but the uws front end speaks HTTP/1.1 only',
    ],
    [
      `frontend: uws, tls: { ${PAIR}, earlyData: 4KiB }`,
      'tls.earlyData needs the native front end: uWebSockets.js takes no early data',
    ],
    [
      'frontend: uws, tls: { acme: { storage: s, names: [ a.b ], challenge: tls-alpn-01 } }',
      'tls.acme.challenge is tls-alpn-01, but the uws front end does not answer that challenge',
    ],
    [
      `frontend: uws, tls: { ${PAIR}, minVersion: "1.3" }`,
      'tls.minVersion is 1.3, but uWebSockets.js speaks TLS 1.2, too, and cannot be kept from it',
    ],
    [
      'frontend: uws, tls: { certificates: [ { cert: a, key: b, ocsp: c } ] }',
      'tls.certificates[0].ocsp needs the native front end: uWebSockets.js staples no responses',
    ],
    [
      `frontend: uws, tls: { ${PAIR}, curves: X25519 }`,
      'tls.curves needs the native front end: BoringSSL of uWebSockets.js takes its own',
    ],
    [
      `frontend: uws, tls: { ${PAIR}, tickets: off }`,
      'tls.tickets needs the native front end: uWebSockets.js leaves sessions to BoringSSL',
    ],
    ['frontend: uws, http2: { clearText: true }', 'http2 needs the native front end: uWebSockets.js speaks HTTP/1.1'],
    [
      `tls: { ${PAIR}, clientAuth: { ca: c, headers: { subject: X-A, fingerprint: x-a } } }`,
      'tls.clientAuth.headers.fingerprint is x-a, which tells another fact already (listeners[0].tls.clientAuth.headers.subject)',
    ],
  ])('is refused with %s', (settings, problem) => {
    expect(told(withListener(settings))).toEqual([problem]);
  });

  it('is refused with headers in mode l4', () => {
    const settings = `tls: { ${PAIR}, clientAuth: { ca: c, headers: { subject: x-a } } }`;
    expect(told(withL4(settings))).toEqual([
      'tls.clientAuth.headers.subject belongs to mode l7: an l4 listener sees no requests that it could add a header to',
    ]);
  });

  it.each([
    `tls: { ${PAIR} }, hsts: 1h`,
    'redirectToHttps: 443, hsts: off',
    'tls: off, redirectToHttps: 443',
    `frontend: uws, tls: { ${PAIR}, alpn: [ http/1.1 ], minVersion: "1.2" }`,
    'tls: { acme: { storage: s, names: [ a.b ] } }',
  ])('is accepted with %s', (settings) => {
    expect(configOf(withListener(settings)).listeners).toHaveLength(1);
  });
});

describe('tls to endpoints', () => {
  it.each([
    ['tls: { cert: a }', 'tls.cert stands without key'],
    ['tls: { key: a }', 'tls.key stands without cert'],
    ['tls: { passphrase: a }', 'tls.passphrase stands without key'],
  ])('is refused with %s', (settings, problem) => {
    expect(told(withUpstream(settings))).toEqual([problem]);
  });

  it('is accepted with a certificate and its key, and with neither', () => {
    expect(configOf(withUpstream('tls: { cert: a, key: a, passphrase: p }')).upstreams.api?.tls).toMatchObject({
      key: 'a',
    });
    expect(configOf(withUpstream('tls: {}')).upstreams.api?.tls).toMatchObject({ verify: true, resume: true });
  });
});
