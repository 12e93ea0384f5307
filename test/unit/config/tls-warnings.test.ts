/** Warnings of TLS and HTTP/2: what is accepted, but will not do what its author may expect. */
import { describe, expect, it } from 'vitest';
import { SMALLEST, SMALLEST_L4, warningsOf } from './loading.js';

const PAIR = 'certificates: [ { cert: a.pem, key: a.key } ]';
const withListener = (settings: string) => SMALLEST.replace('name: web,', `name: web, ${settings},`);
const withL4 = (settings: string) => SMALLEST_L4.replace('name: db,', `name: db, ${settings},`);
/** Without the place and the hint. */
const told = (text: string) =>
  warningsOf(text).map((warning) => warning.replace(/^sluice\.yaml:\d+:\d+ /, '').split(' | ')[0]);

describe('warnings of tls of a listener', () => {
  const acme = 'tls: { acme: { storage: s, names: [ a.b ] } }';

  it('are told for http-01 where nobody would answer', () => {
    expect(told(withListener(acme))).toEqual([
      'listeners[0].tls.acme.challenge is http-01, but no l7 listener without tls is there to answer',
    ]);
    const plain = '  - { name: plain, bind: "127.0.0.1:8081", routes: [ { upstream: api } ] }\nupstreams:';
    expect(told(withListener(acme).replace('upstreams:', plain))).toEqual([]);
    expect(told(withListener(acme.replace('a.b ]', 'a.b ], challenge: tls-alpn-01')))).toEqual([]);
  });

  it('are told for routes of l4 by protocols that are agreed on with nobody', () => {
    const routes = (alpn: string) =>
      withL4(`tls: { ${PAIR}${alpn} }`).replace(
        'upstream: pg',
        'routes: [ { match: { alpn: [ h2 ] }, upstream: pg } ]',
      );
    expect(told(routes(''))).toEqual([
      'listeners[0].routes[0].match.alpn[0] is h2, which this listener agrees on with nobody: it is not in tls.alpn',
    ]);
    expect(told(routes(', alpn: [ h2 ]'))).toEqual([]);
  });

  it('are told for http2 where no client can begin with it', () => {
    const none = 'listeners[0].http2 has no effect: no client can begin with HTTP/2 here';
    expect(told(withListener('http2: { streams: 5 }'))).toEqual([none]);
    expect(told(withListener(`http2: { streams: 5 }, tls: { ${PAIR}, alpn: [ http/1.1 ] }`))).toEqual([none]);
    expect(told(withListener(`http2: { streams: 5 }, tls: { ${PAIR} }`))).toEqual([]);
    expect(told(withListener('http2: { streams: 5, clearText: true }'))).toEqual([]);
    expect(told(withListener('http2: {}'))).toEqual([]);
  });
});

describe('warnings of tls to endpoints', () => {
  it('are told for certificates that nobody verifies', () => {
    expect(told(SMALLEST.replace('api: {', 'api: { tls: { verify: false },'))).toEqual([
      'upstreams.api.tls.verify is false: whoever stands between sluice and the endpoints can read and change everything',
    ]);
  });

  it('are told where a listener passes the TLS of its clients on', () => {
    const text = SMALLEST_L4.replace('upstream: pg', 'routes: [ { match: { sni: a.b }, upstream: pg } ]');
    const wrapped = text.replace('pg: {', 'pg: { tls: {},');
    expect(told(wrapped)).toEqual([
      'upstreams.pg.tls wraps what the l4 listener db passes on in TLS once more: it routes by what TLS clients ask for, and does not decrypt',
    ]);
    expect(told(wrapped.replace('name: db,', `name: db, tls: { ${PAIR} },`))).toEqual([]);
    expect(told(SMALLEST_L4.replace('pg: {', 'pg: { tls: {},'))).toEqual([]);
  });

  it('are told for HTTP/2 of an upstream that has no exchanges, or speaks HTTP/1.1', () => {
    const why = 'has no effect: its listeners are of mode l4, which has no requests';
    expect(told(SMALLEST_L4.replace('pg: {', 'pg: { protocol: auto, http2: { streams: 5 },'))).toEqual(
      [`upstreams.pg.protocol ${why}`, `upstreams.pg.http2 ${why}`].map((warning) =>
        warning.replace(' | remove it', ''),
      ),
    );
    expect(told(SMALLEST.replace('api: {', 'api: { http2: { streams: 5 },'))).toEqual([
      'upstreams.api.http2 has no effect: protocol is h1',
    ]);
    expect(told(SMALLEST.replace('api: {', 'api: { protocol: h2, http2: { streams: 5 },'))).toEqual([]);
  });
});
